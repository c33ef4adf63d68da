defmodule Minotaur.GameEngine.SessionServer do
  @moduledoc """
  One game session: a GenServer that owns the game, runs its round timer, and moves with its
  callers to another host when this one leaves.

  This module only sends each message to the code of the session's role (see
  `Minotaur.GameEngine.Session`). A handoff is a row of states, never a blocking receive: system
  messages, the supervisor's shutdown and the target's end are honoured in every one of them.

  What the host says to its sessions is wrapped in `{Minotaur.SessionHost, request}`:

  | request | answer |
  |---|---|
  | `:open` (call) | `:ok`: the names are registered, the session owns the game |
  | `:describe` (call) | `{:ok, map}`: what goes into an offer, or `{:error, :busy}`, `:ended` |
  | `{:hand_off, transfer, new}` (call) | `:moved` or `{:failed, reason}`, when it is over |
  | `:hurry` (info) | a forwarder ends now |
  | `:host_met` (info) | an owner that may not be the only one looks for another |
  """

  use GenServer, restart: :temporary

  alias Minotaur.GameEngine.{EndedSessions, Session}
  alias Minotaur.Handoff.{Conflict, Forwarder, Source, Target}
  alias Minotaur.SessionHost

  @doc """
  Starts a session: of a game, `{:start, join_code, game}`, or to receive one, `{:arrive, offer}`.
  Neither has names yet.
  """
  @spec start_link({:start, term, struct} | {:arrive, map}) :: GenServer.on_start()
  def start_link(argument), do: GenServer.start_link(__MODULE__, argument)

  @impl true
  def init({:start, join_code, game}) do
    {:ok, %Session{id: game.id, role: :opening, join_code: join_code, game: game}}
  end

  def init({:arrive, offer}), do: {:ok, Target.new(offer)}

  @impl true
  def handle_call({SessionHost, request}, from, session), do: control(request, from, session)
  def handle_call(request, from, session), do: message({:"$gen_call", from, request}, session)

  @impl true
  def handle_cast(request, session), do: message({:"$gen_cast", request}, session)

  @impl true
  def handle_info({SessionHost, :host_met}, %{role: :open} = session),
    do: {:noreply, Conflict.look(session)}

  def handle_info({SessionHost, :host_met}, session), do: {:noreply, session}

  def handle_info(info, session) do
    case handoff_info(info, session) do
      :not_mine -> message(info, session)
      answer -> answer
    end
  end

  # What its supervisor ends does not come by here: the host sees that.
  @impl true
  def terminate(reason, %{role: role} = session) when role in [:open, :leaving] do
    if EndedSessions.in_order?(reason), do: EndedSessions.note(session.id, session.epoch)
  end

  def terminate(_reason, _session), do: :ok

  defp control(:open, _from, %{role: :opening} = session) do
    case Session.open(session) do
      {:ok, session} -> {:reply, :ok, session}
      {:error, reason} -> {:stop, :normal, {:error, reason}, session}
    end
  end

  defp control(:describe, _from, %{role: :open} = session) do
    {:reply, {:ok, Source.describe(session)}, session}
  end

  defp control({:hand_off, transfer, new}, from, %{role: :open} = session) do
    {:noreply, Source.start(session, transfer, new, from)}
  end

  # It gave way to another owner.
  defp control(:open, _from, %{role: :forwarding, handoff: %{new: owner}} = session),
    do: {:reply, {:error, {:already_registered, owner}}, session}

  defp control(_request, _from, %{role: :forwarding} = session), do: {:reply, :ended, session}
  defp control(_request, _from, session), do: {:reply, {:error, :busy}, session}

  defp handoff_info(info, %{role: :leaving} = session), do: Source.info(info, session)
  defp handoff_info(info, %{role: :arriving} = session), do: Target.info(info, session)
  defp handoff_info(info, %{role: :forwarding} = session), do: Forwarder.info(info, session)

  defp handoff_info(info, session) do
    with :not_mine <- Conflict.info(info, session), do: Target.late_info(info, session)
  end

  defp message(message, %{role: :leaving} = session), do: Source.queue(message, session)
  defp message(message, %{role: :arriving} = session), do: Target.queue(message, session)
  defp message(message, %{role: :forwarding} = session), do: Forwarder.pass_on(message, session)

  defp message(message, session) do
    case Session.execute(message, session) do
      {:cont, session} -> {:noreply, session}
      {:stop, reason, session} -> {:stop, reason, session}
    end
  end
end
