defmodule Minotaur.Handoff.Conflict do
  @moduledoc """
  Two owners of one session, and how one of them ends.

  While nodes cannot reach each other both sides may go on with a session: a paused copy whose
  source is lost, a source or a forwarder whose target is, or two hosts that started the same game.
  When they meet again, the one with the higher epoch stays, then the one with the higher version,
  then the one on the greater node. They settle it between themselves:

      a: {:session_claim, id, epoch, version, a}  ──►  b    who is below ends:
      a  ◄── {:session_yield, id, epoch, version, b, carried_out}
                                                            who is above answers with its own claim,
                                                            and a ends

  Versions only rise, so of two claims that cross each other never both are below. A forwarder and
  a session on its way pass claims on, as they do everything. Who ends logs it, tells its
  subscribers where the session is, and becomes a forwarder, whose reason is
  `{:shutdown, {:session_conflict, winner}}`. Who stays logs how many of the other's last updates it
  has not carried out itself, and takes the names.

  They learn of each other by `:global` (`Minotaur.GameEngine.Names.resolve/3`), and, for one that
  may have another owner, by asking all hosts: at once, and when a host comes. The twin of
  `cnode/session/conflict.h`.
  """

  require Logger

  alias Minotaur.GameEngine.{CarriedOut, LocalSessions, NameKeeper, Names, Session}
  alias Minotaur.Handoff.{Forwarder, Inquiry}
  alias Minotaur.PubSub

  @contest_ms :timer.hours(1)

  @doc "What belongs to a conflict, at an owner; `:not_mine` for everything else."
  @spec info(term, Session.t()) :: :not_mine | {:noreply, Session.t()}
  def info({:session_claim, id, epoch, version, pid}, %{id: id} = session)
      when is_integer(epoch) and is_integer(version) and is_pid(pid) do
    take_claim({epoch, version, pid}, session)
  end

  def info({:session_yield, id, epoch, version, pid, done}, %{id: id} = session)
      when is_integer(epoch) and is_integer(version) and is_pid(pid) and is_binary(done) do
    Logger.error(
      "session #{inspect(id)}: another owner on #{node(pid)} has ended, at epoch #{epoch}, " <>
        "version #{version}; updates that only it had carried out: #{unknown(done, session)}"
    )

    take_names(session)
    {:noreply, session}
  end

  def info({:global_name_conflict, _name, other}, session) when other == self() do
    take_names(session)
    {:noreply, session}
  end

  # Whoever has the name now, or nobody: when the other says nothing it is looked up.
  def info({:global_name_conflict, _name, other}, session) when is_pid(other) do
    send(other, claim(session))
    NameKeeper.check_soon()
    {:noreply, session}
  end

  def info(_other, _session), do: :not_mine

  @doc "The process `source`, from which an open session came, says that it owns it again."
  @spec give_back(Session.t(), pid) :: Session.t()
  def give_back(session, source), do: yield({session.epoch, 0, source}, session)

  @doc """
  The open session may have another owner: it looks for one, now and when a host comes within an
  hour.
  """
  @spec expect(Session.t()) :: Session.t()
  def expect(session) do
    LocalSessions.contest(session.id, System.monotonic_time(:millisecond) + @contest_ms)
    look(session)
  end

  @doc "It looks for one now."
  @spec look(Session.t()) :: Session.t()
  def look(session) do
    Inquiry.tell(session.id, claim(session))
    session
  end

  defp claim(session), do: {:session_claim, session.id, session.epoch, session.version, self()}

  # It came back: the other only passes on to this one.
  defp take_claim({_epoch, _version, pid}, session) when pid == self() do
    take_names(session)
    {:noreply, session}
  end

  defp take_claim({epoch, version, pid} = claim, session) do
    if {epoch, version, node(pid), pid} > {session.epoch, session.version, node(), self()} do
      {:noreply, yield(claim, session)}
    else
      send(pid, claim(session))
      {:noreply, session}
    end
  end

  defp yield({epoch, version, winner}, %{id: id} = session) do
    Logger.error(
      "session #{inspect(id)}: ends at epoch #{session.epoch}, version #{session.version}: " <>
        "its owner is on #{node(winner)}, at epoch #{epoch}, version #{version}"
    )

    done = CarriedOut.export(session.carried_out, System.monotonic_time(:millisecond))
    send(winner, {:session_yield, id, session.epoch, session.version, self(), done})
    PubSub.session_moved_to(id, winner)
    Forwarder.give_way(%{Session.hold_timer(session) | epoch: epoch}, winner)
  end

  defp unknown(done, session) do
    case CarriedOut.import_from(done, 0) do
      {:ok, others} -> CarriedOut.unknown(session.carried_out, others)
      :error -> "unknown"
    end
  end

  defp take_names(session) do
    {_pid, monitor} = Names.move_async(session.id, session.join_code, self())
    Process.demonitor(monitor, [:flush])
  end
end
