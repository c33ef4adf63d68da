defmodule Minotaur.GameEngine.Session do
  @moduledoc """
  What a session process holds, and what a request does to it while it runs.

  A session has one of these roles. `SessionServer` sends each message to the code of the role:

      opening ──► open ──► leaving ──► forwarding ──► ended
                   ▲  ◄────────┴────────────┘ (the target failed)
      arriving ────┘

  * `opening`: started here, its names are being registered. It answers like an open one.
  * `open`: owns the game.
  * `leaving`: the source of a handoff (`Minotaur.Handoff.Source`). Nothing is executed.
  * `arriving`: the target of a handoff (`Minotaur.Handoff.Target`). Nothing is executed.
  * `forwarding`: gave the game away, passes on what still arrives; owns it again if the new owner
    dies.

  `epoch` rises with each owner, `version` with each change of the game.
  """

  require Logger

  alias Minotaur.GameEngine.{CarriedOut, LocalSessions, Rules, Settings}
  alias Minotaur.Handoff.{Conflict, Forwarder}
  alias Minotaur.{PubSub, SessionHost}

  @enforce_keys [:id, :role]
  defstruct [
    :id,
    :role,
    :join_code,
    :game,
    :timer,
    :handoff,
    :came_by,
    epoch: 1,
    version: 1,
    queue: [],
    carried_out: %CarriedOut{}
  ]

  @type role :: :opening | :open | :leaving | :arriving | :forwarding
  @type t :: %__MODULE__{
          id: term,
          role: role,
          join_code: String.t() | nil,
          game: struct | nil,
          timer: reference | nil,
          handoff: map | nil,
          came_by: {transfer :: reference, source :: pid, :told | :alone} | nil,
          epoch: pos_integer,
          version: pos_integer,
          queue: [message],
          carried_out: CarriedOut.t()
        }

  @typedoc "A message as it lies in the mailbox: a call (`$gen_call`), a cast or an info."
  @type message :: term

  # A timer further away than this is looked at again on the way.
  @timer_max_ms :timer.hours(24)
  # A repetition may have been on its way, or have waited here, for as long as anybody waits for its
  # answer; its age does not say so.
  @travel_ms 5_000

  @doc "Makes the session the open owner: enters it into this node's table and arms its timer."
  @spec open(t) :: {:ok, t} | {:error, {:already_registered, pid}}
  def open(session) do
    session = %{session | role: :open, handoff: nil}

    with :ok <- LocalSessions.own(session) do
      SessionHost.role_changed(session, :open)
      {:ok, arm_timer(session)}
    end
  end

  @doc "Carries out a message of the mailbox."
  @spec execute(message, t) :: {:cont, t} | {:stop, reason :: term, t}
  def execute({:"$gen_call", from, {:repeat, tag, age_ms, request}}, session)
      when is_reference(tag) and is_integer(age_ms) do
    {answer, changed} = repeat(tag, age_ms, request, session)
    GenServer.reply(from, answer)
    {:cont, tell_round(session, changed)}
  end

  def execute({:"$gen_call", from, request}, session) do
    %{carried_out: done} = session
    tag = tag(from)

    # Somebody had it carried out by now who did not wait for this one: nobody waits for an answer.
    if done.repeats and tag != nil and CarriedOut.member?(done, tag) do
      {:cont, session}
    else
      {answer, changed} = carry_out(request, tag, session)
      GenServer.reply(from, answer)
      {:cont, tell_round(session, changed)}
    end
  end

  def execute({:"$gen_cast", _request} = cast, session) do
    dropped(cast, session)
    {:cont, session}
  end

  def execute(:round_timer_far, session), do: {:cont, arm_timer(session)}

  def execute(info, session) do
    case Rules.handle_info(info, session.game, DateTime.utc_now(), round_seconds()) do
      {:ok, game} ->
        {:cont, tell_round(session, change(session, game))}

      :end_session ->
        {:stop, :normal, session}

      :unknown ->
        dropped(info, session)
        {:cont, session}
    end
  end

  @doc """
  Carries out messages that an open session had kept, oldest first, each as one that comes now: by
  one of them it may give way to another owner, which gets those behind it. What follows an end is
  not carried out.
  """
  @spec execute_all([message], t) :: {:cont, t} | {:stop, reason :: term, t}
  def execute_all(messages, session) do
    Enum.reduce_while(messages, {:cont, session}, fn message, {:cont, session} ->
      case execute_kept(message, session) do
        {:cont, session} -> {:cont, {:cont, session}}
        stop -> {:halt, stop}
      end
    end)
  end

  defp execute_kept(message, %{role: :forwarding} = session) do
    passed_on =
      with :not_mine <- Forwarder.info(message, session), do: Forwarder.pass_on(message, session)

    with {:noreply, session} <- passed_on, do: {:cont, session}
  end

  defp execute_kept(message, session) do
    case Conflict.info(message, session) do
      {:noreply, session} -> {:cont, session}
      :not_mine -> execute(message, session)
    end
  end

  @doc "Arms the timer of the current round, instead of the one that runs."
  @spec arm_timer(t) :: t
  def arm_timer(%{game: game} = session) do
    session = hold_timer(session)

    # Where rounds have no timer, none is armed for an imported game that has an end of its round.
    if round_seconds() == 0,
      do: session,
      else: %{session | timer: start_timer(game.status, game.round_end_time, game.round)}
  end

  @doc "Stops the timer of the round."
  @spec hold_timer(t) :: t
  def hold_timer(%{timer: nil} = session), do: session

  def hold_timer(%{timer: timer} = session) do
    Process.cancel_timer(timer)
    %{session | timer: nil}
  end

  @doc "Says in the log that a message means nothing to a session."
  @spec dropped(message, t) :: :ok
  def dropped(message, session) do
    Logger.warning(
      "session #{inspect(session.id)}: dropped an unknown message: " <>
        inspect(message, limit: 10, printable_limit: 200)
    )
  end

  defp repeat(tag, age_ms, request, session) do
    case CarriedOut.judge(session.carried_out, tag, age_ms + @travel_ms, now_ms()) do
      :done ->
        {{:carried_out, session.game}, session}

      :in_doubt ->
        {:in_doubt, session}

      :not_done ->
        {answer, session} = carry_out(request, tag, session)
        {{:now, answer}, %{session | carried_out: CarriedOut.repeated(session.carried_out)}}
    end
  end

  defp carry_out(request, tag, %{game: old} = session) do
    {answer, game} = Rules.handle_call(request, old, DateTime.utc_now(), round_seconds())
    session = change(session, game)
    {answer, if(game == old or tag == nil, do: session, else: note(tag, session))}
  end

  defp note(tag, session) do
    %{session | carried_out: CarriedOut.add(session.carried_out, tag, now_ms())}
  end

  # The reference by which a caller knows its call, as gen_server:reply/2 reads it.
  defp tag({_pid, [:alias | tag]}) when is_reference(tag), do: tag
  defp tag({_pid, [[:alias | tag] | _]}) when is_reference(tag), do: tag
  defp tag({_pid, tag}) when is_reference(tag), do: tag
  defp tag(_other), do: nil

  defp now_ms, do: System.monotonic_time(:millisecond)

  defp change(%{game: game} = session, game), do: session

  defp change(%{game: old} = session, game) do
    session = %{session | game: game, version: session.version + 1}
    LocalSessions.update(session)
    if same_timer?(old, game), do: session, else: arm_timer(session)
  end

  defp tell_round(%{game: %{round: round}}, %{game: %{round: round}} = same), do: same

  defp tell_round(_before, session) do
    PubSub.round_started(session.id, session.game.round)
    session
  end

  defp round_seconds, do: Settings.round_seconds()

  defp same_timer?(old, new) do
    {old.status, old.round, old.round_end_time} == {new.status, new.round, new.round_end_time}
  end

  defp start_timer(:active, %DateTime{} = round_end_time, round) do
    left_ms = max(DateTime.diff(round_end_time, DateTime.utc_now(), :millisecond), 0)

    if left_ms > @timer_max_ms,
      do: Process.send_after(self(), :round_timer_far, @timer_max_ms),
      else: Process.send_after(self(), {:round_timer_expired, round}, left_ms)
  end

  defp start_timer(_status, _round_end_time, _round), do: nil
end
