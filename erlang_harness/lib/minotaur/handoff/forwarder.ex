defmodule Minotaur.Handoff.Forwarder do
  @moduledoc """
  What is left of a session where it was: it passes everything on to the new owner, which answers
  the callers directly.

  A caller watches the process that it called. So a forwarder stays while anybody watches it, and
  at least 500 ms after its names moved (a caller may have looked the name up just before), or
  until its host is in a hurry. It ends with `{:shutdown, {:moved, new}}`: who still watches knows
  where to go. When the owner itself moves on, the forwarder follows it.
  """

  alias Minotaur.GameEngine.{LocalSessions, Names, Session}
  alias Minotaur.SessionHost

  @stay_ms 500
  @look_again_ms 50

  @doc "Turns the source of a finished handoff into a forwarder. Its game is given away."
  @spec new(Session.t()) :: Session.t()
  def new(%{handoff: handoff} = session) do
    LocalSessions.moved(session, handoff.new)
    SessionHost.role_changed(session.id, :forwarding)
    send(self(), {__MODULE__, :look})
    %{session | role: :forwarding, game: nil, queue: [], timer: nil}
  end

  @doc "Notes that the names have moved."
  @spec names_moved(map) :: map
  def names_moved(handoff), do: Map.merge(handoff, %{names: nil, named_ms: now_ms()})

  @doc "Passes a message on."
  @spec pass_on(Session.message(), Session.t()) :: {:noreply, Session.t()}
  def pass_on(message, session) do
    send(session.handoff.new, message)
    {:noreply, session}
  end

  @doc "What belongs to a forwarder; `:not_mine` for what is to be passed on."
  @spec info(term, Session.t()) ::
          :not_mine | {:noreply, Session.t()} | {:stop, term, Session.t()}
  def info({__MODULE__, :look}, session) do
    cond do
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
      _gone -> finish(session)
    end
  end

  def info(message, session) when is_tuple(message) do
    if stale?(message), do: {:noreply, session}, else: :not_mine
  end

  def info(_message, _session), do: :not_mine

  defp stale?(message) do
    tag = elem(message, 0)
    tag in [:handoff_ready, :handoff_refuse, :handoff_active, :handoff_step_over]
  end

  defp needed?(%{handoff: %{names: nil, named_ms: named_ms, new: new}}) do
    now_ms() - named_ms < @stay_ms or watched?(new)
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
    LocalSessions.moved_on(session, newer)
    %{session | handoff: %{handoff | new: newer, monitor: Process.monitor(newer)}}
  end

  defp finish(session), do: {:stop, {:shutdown, {:moved, session.handoff.new}}, session}

  defp now_ms, do: System.monotonic_time(:millisecond)
end
