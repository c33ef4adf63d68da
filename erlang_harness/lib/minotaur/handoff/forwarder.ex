defmodule Minotaur.Handoff.Forwarder do
  @moduledoc """
  What is left of a session where it was: it passes everything on to the new owner, which answers
  the callers directly.

  A caller watches the process that it called. So a forwarder stays while anybody watches it, and
  at least 500 ms after its names moved (a caller may have looked the name up just before), or
  until its host is in a hurry. It ends with `{:shutdown, {:moved, new}}`: who still watches knows
  where to go. When the owner itself moves on, the forwarder follows it.

  So does a session that had another owner beside it and gave way to it
  (`Minotaur.Handoff.Conflict`); it ends with `{:shutdown, {:session_conflict, winner}}`, after some
  seconds even if somebody watches.

  It keeps the game that it gave away. When the new owner crashes, or its node is gone (a lost
  connection is tried once more), it asks all hosts who owns the session, and follows whom they
  name, or ends when they know that the session has. When they know nothing it is the owner again,
  at the epoch of the one that is lost: what that one did since is lost with it, unless it lives. A
  drain that is still on moves it to the next host. What comes while it asks is kept.
  """

  require Logger

  alias Minotaur.GameEngine.{EndedSessions, LocalSessions, Names, Session}
  alias Minotaur.Handoff.{Conflict, Inquiry, Target}
  alias Minotaur.PubSub
  alias Minotaur.SessionHost

  @stay_ms 500
  @look_again_ms 50
  # Longer than a caller waits by default; no drain ends one that gave way.
  @gave_way_stay_ms 6_500

  @doc "Turns the source of a finished handoff into a forwarder. Its epoch is the new owner's now."
  @spec new(Session.t()) :: Session.t()
  def new(session), do: start(session, :moved)

  @doc "Turns an owner into a forwarder to another one, whose epoch it has."
  @spec give_way(Session.t(), pid) :: Session.t()
  def give_way(session, winner) do
    handoff = names_moved(%{new: winner, monitor: Process.monitor(winner), since_ms: now_ms()})

    start(%{session | handoff: handoff}, :session_conflict)
  end

  defp start(%{handoff: handoff} = session, why) do
    LocalSessions.moved(session, handoff.new)
    SessionHost.role_changed(session, :forwarding)
    send(self(), {__MODULE__, :look})
    handoff = Map.merge(handoff, %{why: why, later_owners: 0, lost: false, inquiry: nil})
    %{session | role: :forwarding, queue: [], timer: nil, handoff: handoff}
  end

  @doc "Notes that the names have moved."
  @spec names_moved(map) :: map
  def names_moved(handoff), do: Map.merge(handoff, %{names: nil, named_ms: now_ms()})

  @doc "Passes a message on, or keeps it while nobody knows to whom."
  @spec pass_on(Session.message(), Session.t()) :: {:noreply, Session.t()}
  def pass_on(message, %{handoff: %{inquiry: {_over, _asked}}} = session) do
    {:noreply, %{session | queue: [message | session.queue]}}
  end

  def pass_on(message, session) do
    send(session.handoff.new, message)
    {:noreply, session}
  end

  @doc "What belongs to a forwarder; `:not_mine` for what is to be passed on."
  @spec info(term, Session.t()) ::
          :not_mine | {:noreply, Session.t()} | {:stop, term, Session.t()}
  def info({__MODULE__, :look}, session) do
    cond do
      session.handoff.inquiry != nil -> look_again(session)
      named_again?(session) -> move_names(session)
      needed?(session) -> look_again(session)
      true -> finish(session)
    end
  end

  def info({SessionHost, :hurry}, session), do: finish(session)

  def info({:DOWN, names, _, _, _}, %{handoff: %{names: {_, names}}} = session) do
    {:noreply, %{session | handoff: names_moved(session.handoff)}}
  end

  def info({:DOWN, monitor, _, _, reason}, %{handoff: %{monitor: monitor}} = session) do
    case reason do
      {:shutdown, {:moved, newer}} -> {:noreply, follow(newer, session)}
      {:shutdown, {:session_conflict, newer}} -> {:noreply, follow(newer, session)}
      :noconnection when not session.handoff.lost -> {:noreply, look_twice(session)}
      # It may have crashed while the connection was lost; else it has ended as it should.
      :noproc -> {:noreply, ask_hosts(session, ended?(session.handoff))}
      reason -> if EndedSessions.in_order?(reason), do: over(session), else: crashed(session)
    end
  end

  def info({:DOWN, asked, _, _, reason}, %{handoff: %{inquiry: {over, {_, asked}}}} = session) do
    session = put_in(session.handoff.inquiry, nil)
    target = session.handoff.new

    case Inquiry.answer(reason) do
      # Only this process does not reach it: callers may.
      ^target -> finish(session)
      nil when over -> over(session)
      nil -> recover(session)
      :ended -> over(session)
      owner -> {:noreply, pass_kept_on(follow(owner, session))}
    end
  end

  def info({:handoff_activate, _transfer} = again, session), do: Target.late_word(again, session)

  def info({:handoff_ready, _transfer, new} = late, session) when new != session.handoff.new,
    do: Target.late_word(late, session)

  def info(message, session) when is_tuple(message) do
    if stale?(message), do: {:noreply, session}, else: :not_mine
  end

  def info(_message, _session), do: :not_mine

  defp stale?(message) do
    tag = elem(message, 0)
    tag in [:handoff_ready, :handoff_refuse, :handoff_active, :handoff_step_over]
  end

  defp needed?(%{handoff: %{names: nil} = handoff}) do
    gave_way? = handoff.why == :session_conflict

    if gave_way? and now_ms() - handoff.since_ms >= @gave_way_stay_ms,
      do: false,
      else: now_ms() - handoff.named_ms < @stay_ms or watched?(handoff.new)
  end

  defp needed?(_names_on_their_way), do: true

  # The own host watches all its sessions, and the new owner may still watch its source.
  defp watched?(new) do
    {:monitored_by, watchers} = Process.info(self(), :monitored_by)
    watchers -- [Process.whereis(SessionHost), new] != []
  end

  defp look_again(session) do
    Process.send_after(self(), {__MODULE__, :look}, @look_again_ms)
    {:noreply, session}
  end

  # A NameKeeper that had looked before the session left may have given them back.
  defp named_again?(%{handoff: %{names: nil}} = session) do
    Names.leads_to?(session.id, session.join_code, self())
  end

  defp named_again?(_names_on_their_way), do: false

  defp move_names(%{handoff: %{new: new} = handoff} = session) do
    names = Names.move_async(session.id, session.join_code, new)
    look_again(%{session | handoff: %{handoff | names: names}})
  end

  defp follow(newer, %{handoff: handoff} = session) do
    later_owners = handoff.later_owners + 1
    LocalSessions.moved_on(session, newer, session.epoch + later_owners)
    handoff = %{handoff | new: newer, later_owners: later_owners, lost: false}
    watch(%{session | handoff: handoff})
  end

  defp ended?(handoff), do: handoff.why == :moved and not handoff.lost

  # Before anything is decided: somebody else may own it. `over`: if nobody does, it has ended.
  defp ask_hosts(%{handoff: %{new: new, since_ms: since_ms}} = session, over) do
    put_in(session.handoff.inquiry, {over, Inquiry.ask(session, [new], new, since_ms)})
  end

  defp pass_kept_on(%{queue: queue, handoff: %{new: new}} = session) do
    for message <- Enum.reverse(queue), do: send(new, message)
    %{session | queue: []}
  end

  defp look_twice(session), do: watch(put_in(session.handoff.lost, true))

  defp watch(%{handoff: handoff} = session) do
    %{session | handoff: %{handoff | monitor: Process.monitor(handoff.new)}}
  end

  defp recover(%{id: id, handoff: handoff} = session) do
    Logger.error(
      "session #{inspect(id)}: its owner on #{node(handoff.new)} died: it goes on here"
    )

    if handoff.names, do: Process.demonitor(elem(handoff.names, 1), [:flush])
    # Should one of the later owners live: who did more stays.
    epoch = session.epoch + handoff.later_owners

    case Session.open(%{session | epoch: epoch, queue: []}) do
      {:ok, opened} ->
        LocalSessions.is_back(session)
        {_pid, monitor} = Names.move_async(id, session.join_code, self(), earlier(handoff))
        Process.demonitor(monitor, [:flush])
        PubSub.session_moved(id)
        opened = Conflict.expect(opened)
        to_answer(Session.execute_all(Enum.reverse(session.queue), opened))

      {:error, {:already_registered, _owner}} ->
        finish(session)
    end
  end

  defp to_answer({:cont, session}), do: {:noreply, session}
  defp to_answer({:stop, reason, session}), do: {:stop, reason, session}

  defp earlier(%{names: {mover, _monitor}}), do: mover
  defp earlier(_none_under_way), do: nil

  defp crashed(session), do: {:noreply, ask_hosts(session, false)}

  # The session is, and so is this.
  defp over(session) do
    EndedSessions.note(session.id, session.epoch)
    finish(session)
  end

  defp finish(session),
    do: {:stop, {:shutdown, {session.handoff.why, session.handoff.new}}, session}

  defp now_ms, do: System.monotonic_time(:millisecond)
end
