defmodule Minotaur.Handoff.Target do
  @moduledoc """
  The session that arrives: paused, it collects the state, says whether it can read it, queues what
  its source sends on, and runs when it is told to.

      collecting ── digest ──► ready ── activate ──► open

  How it fails: it ends when its source cancels, is gone, or says nothing for 10 s (15 s when ready:
  the source's own steps have ended by then). If only the *connection* to the source
  is lost and the state is here (`ready`), it says `ready` once more, over a new connection; when
  the source cannot be reached in 2 s, it asks all hosts who owns the session. When they know nobody
  its state is the newest there is: it activates itself.
  """

  require Logger

  alias Minotaur.GameEngine.{CarriedOut, NameKeeper, Session}
  alias Minotaur.Handoff.{Conflict, Failpoint, Forwarder, Inquiry, Snapshot}
  alias Minotaur.PubSub

  @state_bytes_max 67_108_864
  @silence_ms 10_000
  @ready_silence_ms 15_000
  @look_twice_ms 2_000

  @doc "A paused session for an accepted offer."
  @spec new(map) :: Session.t()
  def new(offer) do
    handoff = %{
      transfer: offer.transfer,
      source: offer.source,
      subscribers: subscribers(offer),
      monitor: Process.monitor(offer.source),
      step: :collecting,
      lost: false,
      inquiry: nil,
      since_ms: System.monotonic_time(:millisecond),
      silence: await_word(@silence_ms),
      next: 0,
      chunks: [],
      bytes: 0
    }

    %Session{id: offer.id, join_code: offer.join_code, role: :arriving, handoff: handoff}
  end

  # Whoever offers may name none, or nonsense.
  defp subscribers(%{subscribers: pids}) when is_list(pids) do
    if List.improper?(pids), do: [], else: Enum.filter(pids, &is_pid/1)
  end

  defp subscribers(_offer), do: []

  @doc "Keeps a message for the time when it runs."
  @spec queue(Session.message(), Session.t()) :: {:noreply, Session.t()}
  def queue(message, session), do: {:noreply, %{session | queue: [message | session.queue]}}

  @doc "What belongs to the handoff; `:not_mine` for everything else."
  @spec info(term, Session.t()) ::
          :not_mine | {:noreply, Session.t()} | {:stop, term, Session.t()}
  def info({:handoff_state, transfer, index, count, chunk}, session)
      when transfer == session.handoff.transfer and is_binary(chunk) do
    if Failpoint.pass?(:in_state),
      do: collect(index, count, chunk, session),
      else: {:noreply, session}
  end

  def info({:handoff_digest, transfer, digest, hash}, session)
      when transfer == session.handoff.transfer and session.handoff.step == :collecting do
    cond do
      Failpoint.refuses?(:in_digest) -> refuse(:failpoint, session)
      Failpoint.pass?(:in_digest) -> check(digest, hash, session)
      true -> {:noreply, session}
    end
  end

  def info({:handoff_activate, transfer}, session)
      when transfer == session.handoff.transfer and session.handoff.step == :ready do
    if Failpoint.pass?(:in_activate), do: activate(session, :told), else: {:noreply, session}
  end

  def info({:handoff_cancel, transfer}, session) when transfer == session.handoff.transfer do
    {:stop, :normal, session}
  end

  def info({:DOWN, monitor, _, _, reason}, session) when monitor == session.handoff.monitor do
    source_down(reason, session)
  end

  def info({:handoff_silence, key}, %{handoff: %{silence: {key, _}, lost: true}} = session) do
    ask_hosts(session)
  end

  def info({:DOWN, asked, _, _, reason}, %{handoff: %{inquiry: {_, asked}}} = session) do
    source_is_lost(Inquiry.answer(reason), session)
  end

  def info({:handoff_silence, key}, %{handoff: %{silence: {key, _timer}}} = session) do
    Logger.warning("session #{inspect(session.id)}: ends, its source is silent")
    {:stop, :normal, session}
  end

  def info({:handoff_silence, _stale}, session), do: {:noreply, session}
  def info(_other, _session), do: :not_mine

  @doc "As `late_info/2`, for one that hands on what is not its own: a stale word goes nowhere."
  @spec late_word(term, Session.t()) :: {:noreply, Session.t()} | {:stop, term, Session.t()}
  def late_word(word, session) do
    with :not_mine <- late_info(word, session), do: {:noreply, session}
  end

  @doc """
  What belongs to the handoff by which an open session came. A cancel that is late means that the
  source waited too long and owns the session again: of two owners the one that was not
  acknowledged ends. An activate that comes once more is answered: the source was cut off.
  """
  @spec late_info(term, Session.t()) ::
          :not_mine | {:noreply, Session.t()} | {:stop, term, Session.t()}
  def late_info(
        {:handoff_cancel, transfer},
        %{came_by: {transfer, source, :told}, role: :open} = session
      ) do
    {:noreply, Conflict.give_back(session, source)}
  end

  # It owns the session without its source's word: who did more stays. One that is on its way to a
  # third host looks when that came to nothing.
  def late_info({:handoff_cancel, transfer}, %{came_by: {transfer, _, :alone}} = session),
    do: {:noreply, if(session.role == :open, do: Conflict.expect(session), else: session)}

  def late_info({:handoff_cancel, transfer}, %{came_by: {transfer, _, _}} = session) do
    Logger.error("session #{inspect(session.id)}: ends, its source owns it again")
    {:stop, :normal, %{session | role: :arriving}}
  end

  def late_info({:handoff_activate, transfer}, %{came_by: {transfer, source, _}} = session) do
    send(source, {:handoff_active, transfer, session.epoch})
    # What it sends again may have arrived before.
    {:noreply, may_hear_twice(%{session | came_by: {transfer, source, :told}})}
  end

  # A target that did not hear the cancel of an attempt that was given up.
  def late_info({:handoff_ready, transfer, new}, session) when is_pid(new) do
    send(new, {:handoff_cancel, transfer})
    {:noreply, session}
  end

  def late_info(message, session) when is_tuple(message) and tuple_size(message) > 0 do
    if stale?(elem(message, 0)), do: {:noreply, session}, else: :not_mine
  end

  def late_info(_message, _session), do: :not_mine

  defp stale?(tag) do
    tag in [
      :handoff_refuse,
      :handoff_active,
      :handoff_step_over,
      :handoff_silence,
      :handoff_cancel,
      Forwarder
    ]
  end

  defp collect(index, count, chunk, %{handoff: %{next: index} = handoff} = session)
       when index < count do
    bytes = handoff.bytes + byte_size(chunk)
    handoff = %{handoff | next: index + 1, chunks: [chunk | handoff.chunks], bytes: bytes}
    session = heard(%{session | handoff: handoff}, @silence_ms)
    if bytes > @state_bytes_max, do: refuse(:too_large, session), else: {:noreply, session}
  end

  defp collect(_index, _count, _chunk, session), do: refuse(:bad_chunk, session)

  defp check(digest, hash, %{handoff: handoff} = session) do
    bytes = handoff.chunks |> Enum.reverse() |> IO.iodata_to_binary()

    case Snapshot.decode(bytes, digest, hash) do
      {:ok, %{id: id} = snapshot} when id == session.id -> ready(snapshot, session)
      {:ok, _other_session} -> refuse(:bad_snapshot, session)
      {:error, reason} -> refuse(reason, session)
    end
  end

  defp ready(snapshot, %{handoff: handoff} = session) do
    send(handoff.source, {:handoff_ready, handoff.transfer, self()})

    session = %{
      session
      | join_code: snapshot.join_code,
        epoch: snapshot.epoch,
        version: snapshot.version,
        game: snapshot.state,
        carried_out: snapshot.carried_out,
        handoff: %{handoff | step: :ready, chunks: []}
    }

    {:noreply, heard(session, @ready_silence_ms)}
  end

  # The source has spoken: its next word is waited for anew.
  defp heard(%{handoff: handoff} = session, wait_ms) do
    stop_waiting(handoff)
    %{session | handoff: %{handoff | silence: await_word(wait_ms)}}
  end

  defp await_word(wait_ms) do
    key = make_ref()
    {key, Process.send_after(self(), {:handoff_silence, key}, wait_ms)}
  end

  defp stop_waiting(%{silence: {_key, timer}}), do: Process.cancel_timer(timer)

  defp refuse(reason, %{handoff: handoff} = session) do
    send(handoff.source, {:handoff_refuse, handoff.transfer, reason})
    {:stop, :normal, session}
  end

  defp activate(%{handoff: handoff, queue: queue} = session, how) do
    stop_waiting(handoff)
    came_by = {handoff.transfer, handoff.source, how}
    session = %{session | epoch: session.epoch + 1, came_by: came_by, queue: []}
    # A source that was out of reach may send its queue twice.
    session = if handoff.lost, do: may_hear_twice(session), else: session

    with {:ok, session} <- Session.open(session) do
      PubSub.session_moved(session.id, handoff.subscribers)
      outcome = Session.execute_all(Enum.reverse(queue), session)
      Process.demonitor(handoff.monitor, [:flush])
      say_active(handoff, session.epoch)
      to_answer(outcome)
    else
      {:error, reason} -> refuse(reason, session)
    end
  end

  defp may_hear_twice(session),
    do: %{session | carried_out: CarriedOut.repeated(session.carried_out)}

  # A source that is out of reach is not dialled for this: it asks.
  defp say_active(handoff, epoch) do
    if Failpoint.pass?(:in_active) do
      Process.send(handoff.source, {:handoff_active, handoff.transfer, epoch}, [:noconnect])
    end
  end

  defp to_answer({:cont, session}), do: {:noreply, session}
  defp to_answer({:stop, reason, session}), do: {:stop, reason, session}

  # Its node may have crashed, or the session have gone elsewhere, while the connection was lost.
  defp source_down(reason, %{handoff: %{step: :ready, lost: true}} = session)
       when reason in [:noconnection, :noproc] do
    ask_hosts(session)
  end

  defp source_down(:noconnection, %{handoff: %{step: :ready} = handoff} = session) do
    handoff = %{handoff | monitor: Process.monitor(handoff.source), lost: true}
    send(handoff.source, {:handoff_ready, handoff.transfer, self()})
    {:noreply, heard(%{session | handoff: handoff}, @look_twice_ms)}
  end

  defp source_down(_reason, session), do: {:stop, :normal, session}

  defp ask_hosts(%{handoff: %{inquiry: nil}} = session) do
    inquiry = Inquiry.ask(session, [], session.handoff.source, session.handoff.since_ms)
    {:noreply, put_in(session.handoff.inquiry, inquiry)}
  end

  defp ask_hosts(session), do: {:noreply, session}

  defp source_is_lost(nil, session) do
    Logger.warning("session #{inspect(session.id)}: its source is out of reach, it runs here now")
    answer = activate(session, :alone)
    NameKeeper.check()

    with {:noreply, %{role: :open} = session} <- answer,
         do: {:noreply, Conflict.expect(session)}
  end

  defp source_is_lost(:ended, session) do
    Logger.warning("session #{inspect(session.id)}: its source is out of reach, and it is over")
    {:stop, :normal, session}
  end

  defp source_is_lost(owner, session) do
    Logger.warning(
      "session #{inspect(session.id)}: its source is out of reach, it ends: " <>
        "its owner is on #{node(owner)}"
    )

    {:stop, :normal, session}
  end
end
