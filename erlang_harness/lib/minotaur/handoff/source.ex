defmodule Minotaur.Handoff.Source do
  @moduledoc """
  The session that leaves: from the freeze to the moment the other one runs.

      sending ── ready ──► naming ── names moved ──► activating ── active ──► a forwarder
         └───────────── refuse, end of the target, 5 s of silence ──────────► open again

  A lost connection is looked at twice: the target, if it was ready, owns the session since. It is
  told once more to activate, over a new connection, and gets the calls that may have been lost once
  more: it knows them by their tags. Anything else is sent once at most, as a BEAM sends it.

  Nothing is executed here. What arrives is kept, in order, until the target is active, so that
  nothing is lost when it fails; from `naming` on it is sent to the target as well. With many
  names to move `:global` needs longer for them than a session may stand still: after
  `Settings.names_wait_ms/0` the target is activated without waiting for the names, which follow
  (callers reach it through the forwarder meanwhile); and where one session has waited in vain,
  those of the next second do not wait at all, for their names stand behind the others'.

  How it fails: after `activate` the hosts are asked whether the target owns the session, by way of
  each other where it is out of reach. If it does not, it is told `handoff_cancel` and ends, the
  names are taken back, the kept
  messages are executed here. Unless the target refused, at the epoch that it may have used: should
  both own the session, who did more stays (`Minotaur.Handoff.Conflict`).
  """

  alias Minotaur.GameEngine.{LocalSessions, Names, Session}
  alias Minotaur.Handoff.{Conflict, Failpoint, Forwarder, Inquiry, Snapshot, Target}
  alias Minotaur.{PubSub, SessionHost, Settings}

  @step_ms 5_000

  @doc "What an offer says of a session."
  @spec describe(Session.t()) :: map
  def describe(session) do
    %{
      id: session.id,
      join_code: session.join_code,
      epoch: session.epoch,
      version: session.version,
      state_version: Snapshot.state_version(),
      bytes: :erlang.external_size(session.game),
      subscribers: PubSub.offered(session.id)
    }
  end

  @doc "Freezes the session and sends its state to `new`. `from` gets the outcome."
  @spec start(Session.t(), reference, pid, GenServer.from()) :: Session.t()
  def start(session, transfer, new, from) do
    session = Session.hold_timer(session)
    monitor = Process.monitor(new)
    send_state(session, transfer, new)

    handoff = %{
      transfer: transfer,
      new: new,
      monitor: monitor,
      from: from,
      names: nil,
      timer: nil,
      since_ms: System.monotonic_time(:millisecond),
      sent: 0,
      lost: false,
      inquiry: nil
    }

    enter(:sending, %{session | role: :leaving, queue: [], handoff: handoff})
  end

  @doc "Keeps a message; sends it to the target, too, once that is ready."
  @spec queue(Session.message(), Session.t()) :: {:noreply, Session.t()}
  def queue(message, %{handoff: %{step: step, lost: lost}} = session)
      when step == :sending or lost do
    {:noreply, %{session | queue: [message | session.queue]}}
  end

  def queue(message, %{handoff: handoff} = session) do
    send(handoff.new, message)
    handoff = %{handoff | sent: handoff.sent + 1}
    {:noreply, %{session | queue: [message | session.queue], handoff: handoff}}
  end

  @doc "What belongs to the handoff; `:not_mine` for everything else."
  @spec info(term, Session.t()) ::
          :not_mine | {:noreply, Session.t()} | {:stop, term, Session.t()}
  def info(
        {:handoff_ready, transfer, new},
        %{handoff: %{transfer: transfer, new: new}} = session
      ) do
    if session.handoff.step == :sending and Failpoint.pass?(:out_ready),
      do: ready(session),
      else: {:noreply, session}
  end

  def info({:handoff_active, transfer, epoch}, %{handoff: %{transfer: transfer}} = session) do
    if session.handoff.step == :activating and Failpoint.pass?(:out_active),
      do: active(epoch, :calls_again, session),
      else: {:noreply, session}
  end

  def info({:handoff_refuse, transfer, reason}, %{handoff: %{transfer: transfer}} = session) do
    failed({:refused, reason}, session)
  end

  def info(
        {:DOWN, monitor, _, _, :noconnection},
        %{handoff: %{monitor: monitor, lost: false}} = session
      ) do
    ask_again(session)
  end

  def info({:DOWN, monitor, _, _, reason}, %{handoff: %{monitor: monitor}} = session) do
    fail_unless_owned({:target_down, reason}, session)
  end

  def info({:DOWN, asked, _, _, reason}, %{handoff: %{inquiry: {why, {_, asked}}}} = session) do
    case Inquiry.answer(reason) do
      nil -> failed(why, session)
      _owner_or_ended -> owned(session)
    end
  end

  def info({:DOWN, names, _, _, _reason}, %{handoff: %{names: {_, names}}} = session) do
    handoff = Forwarder.names_moved(session.handoff)
    session = %{session | handoff: handoff}
    if handoff.step == :naming, do: activate(session), else: {:noreply, session}
  end

  def info({:handoff_step_over, timer, step}, %{handoff: %{timer: {timer, _}}} = session) do
    step_over(step, session)
  end

  # Of the handoff that brought it here: its source owns it again, or asks once more.
  def info({word, _transfer} = late, session) when word in [:handoff_cancel, :handoff_activate],
    do: Target.late_word(late, session)

  def info({:handoff_step_over, _stale, _step}, session), do: {:noreply, session}
  def info({:handoff_ready, _stale, _new} = late, session), do: Target.late_word(late, session)
  def info({:handoff_active, _stale, _epoch}, session), do: {:noreply, session}
  def info({:handoff_refuse, _stale, _reason}, session), do: {:noreply, session}
  def info(_other, _session), do: :not_mine

  defp send_state(session, transfer, new) do
    {:message_queue_len, mailbox} = Process.info(self(), :message_queue_len)
    %{chunks: chunks, digest: digest, hash: hash} = Snapshot.encode(session, mailbox)
    count = length(chunks)

    for {chunk, index} <- Enum.with_index(chunks) do
      send(new, {:handoff_state, transfer, index, count, chunk})
    end

    send(new, {:handoff_digest, transfer, digest, hash})
  end

  defp ready(%{id: id, join_code: join_code, handoff: %{new: new} = handoff} = session) do
    for message <- Enum.reverse(session.queue), do: send(new, message)
    names = Names.move_async(id, join_code, new)
    handoff = %{handoff | names: names, sent: length(session.queue)}
    session = enter(:naming, %{session | handoff: handoff})
    if Names.late?(), do: activate(session), else: {:noreply, session}
  end

  defp activate(%{handoff: handoff} = session) do
    if Failpoint.pass?(:out_names) do
      send(handoff.new, {:handoff_activate, handoff.transfer})
      {:noreply, enter(:activating, session)}
    else
      {:noreply, session}
    end
  end

  defp ask_again(%{handoff: handoff} = session) do
    monitor = Process.monitor(handoff.new)
    activate(%{session | handoff: %{handoff | monitor: monitor, lost: true}})
  end

  defp active(epoch, again, session) do
    session = session |> stop_asking() |> stop_step_timer() |> catch_up(again)
    GenServer.reply(session.handoff.from, :moved)
    {:noreply, Forwarder.new(%{session | epoch: epoch})}
  end

  # What was sent over the connection that was lost may not have arrived; the rest was never sent.
  # The target knows calls by their tags, for a while.
  defp catch_up(%{handoff: %{lost: true, new: new} = handoff} = session, again) do
    {sent, unsent} = session.queue |> Enum.reverse() |> Enum.split(handoff.sent)

    if again == :calls_again do
      for {:"$gen_call", _from, _request} = call <- sent, do: send(new, call)
    end

    for message <- unsent, do: send(new, message)

    if handoff.names || is_map_key(handoff, :named_ms) do
      session
    else
      names = Names.move_async(session.id, session.join_code, new)
      %{session | handoff: %{handoff | names: names}}
    end
  end

  defp catch_up(session, _again), do: session

  defp step_over(:naming, session) do
    Names.note_late()
    activate(session)
  end

  defp step_over(step, session), do: fail_unless_owned({:silent, step}, session)

  # After `activate` the target may own the session all the same: the hosts are asked.
  defp fail_unless_owned(_why, %{handoff: %{inquiry: {_, _}}} = session), do: {:noreply, session}

  defp fail_unless_owned(why, %{handoff: %{step: :activating} = handoff} = session) do
    session = stop_step_timer(session)
    inquiry = {why, Inquiry.ask(session, [], handoff.new, handoff.since_ms)}
    {:noreply, put_in(session.handoff.inquiry, inquiry)}
  end

  defp fail_unless_owned(why, session), do: failed(why, session)

  # To hear of it has taken seconds, in which the target may have forgotten what it carried out:
  # nothing goes twice.
  defp owned(%{handoff: %{new: new, monitor: monitor} = handoff} = session) do
    Process.demonitor(monitor, [:flush])
    send(new, {:handoff_activate, handoff.transfer})
    handoff = %{handoff | monitor: Process.monitor(new)}
    active(session.epoch + 1, :nothing_again, %{session | handoff: handoff})
  end

  defp failed(reason, %{id: id, join_code: join_code, handoff: handoff} = session) do
    session = session |> stop_asking() |> stop_step_timer()
    say_cancel(reason, handoff)
    Process.demonitor(handoff.monitor, [:flush])
    take_names_back(handoff, id, join_code)
    GenServer.reply(handoff.from, {:failed, reason})
    tell_subscribers(reason, id)
    session = %{session | epoch: next_epoch(reason, session.epoch)}
    session |> reopen() |> expect_conflict(reason)
  end

  # Nobody is there, or will be told when both are back.
  defp say_cancel({:target_down, _reason}, _handoff), do: :ok
  defp say_cancel(_reason, handoff), do: send(handoff.new, {:handoff_cancel, handoff.transfer})

  # The target may own the session, too. One that had kept another owner's claim is none any more.
  defp expect_conflict(answer, {:refused, _reason}), do: answer

  defp expect_conflict({:noreply, %{role: :open} = session}, _reason),
    do: {:noreply, Conflict.expect(session)}

  defp expect_conflict({:noreply, gave_way}, _reason), do: {:noreply, gave_way}
  defp expect_conflict(stop, _reason), do: stop

  defp reopen(session) do
    SessionHost.role_changed(session, :open)
    session = %{session | role: :open, handoff: nil, queue: []} |> reopen_after(session.queue)

    case session do
      {:cont, %{role: :open} = session} -> {:noreply, Session.arm_timer(session)}
      {:cont, gave_way} -> {:noreply, gave_way}
      {:stop, reason, session} -> {:stop, reason, session}
    end
  end

  defp reopen_after(session, queue) do
    LocalSessions.update(session)
    Session.execute_all(Enum.reverse(queue), session)
  end

  defp take_names_back(%{step: :sending}, _id, _join_code), do: :ok

  defp take_names_back(%{names: nil}, id, join_code), do: take_names(id, join_code, nil)

  defp take_names_back(%{names: {mover, monitor}}, id, join_code) do
    Process.demonitor(monitor, [:flush])
    take_names(id, join_code, mover)
  end

  defp take_names(id, join_code, after_mover) do
    {_pid, monitor} = Names.move_async(id, join_code, self(), after_mover)
    Process.demonitor(monitor, [:flush])
  end

  defp next_epoch({:refused, _reason}, epoch), do: epoch
  defp next_epoch(_reason, epoch), do: epoch + 1

  # The target may have told them that it owns the session.
  defp tell_subscribers({:refused, _reason}, _id), do: :ok
  defp tell_subscribers(_reason, id), do: PubSub.session_moved(id)

  defp enter(step, session) do
    session = stop_step_timer(session)
    key = make_ref()
    timer = Process.send_after(self(), {:handoff_step_over, key, step}, step_ms(step))
    handoff = Map.merge(session.handoff, %{step: step, timer: {key, timer}})
    %{session | handoff: handoff}
  end

  defp step_ms(:naming), do: Settings.names_wait_ms()
  defp step_ms(_step), do: @step_ms

  defp stop_step_timer(%{handoff: %{timer: {_key, timer}} = handoff} = session) do
    Process.cancel_timer(timer)
    %{session | handoff: %{handoff | timer: nil}}
  end

  defp stop_step_timer(session), do: session

  defp stop_asking(%{handoff: %{inquiry: {_why, {_pid, asked}}}} = session) do
    Process.demonitor(asked, [:flush])
    put_in(session.handoff.inquiry, nil)
  end

  defp stop_asking(session), do: session
end
