defmodule Minotaur.SessionHost.Errand do
  @moduledoc """
  What the conductor has to ask others for. Runs in tasks of the host, which never waits, and
  answers the caller itself.
  """

  alias Minotaur.GameEngine
  alias Minotaur.{Placement, SessionHost, Settings}

  @ask_ms 5_000

  @doc "Tells where the session `id` lives, which is not here."
  @spec not_here(GenServer.from(), term) :: :ok
  def not_here(from, id) do
    answer = if pid = GameEngine.whereis(id), do: {:not_here, pid}, else: :unknown_session
    GenServer.reply(from, {:error, answer})
  end

  @doc """
  Tells who of `sessions` would go to which of the other `hosts`, as a drain walks their ranking.
  Each takes a place there, on paper: a host that is full by then is passed over.
  """
  @spec rehearse(GenServer.from(), [pid], [map]) :: :ok
  def rehearse(from, sessions, hosts) do
    plan = %{sessions: 0, bytes: 0, targets: %{}, refusals: %{}}
    offers = Stream.flat_map(sessions, &describe/1)
    {plan, _hosts} = Enum.reduce(offers, {plan, hosts}, &place/2)
    GenServer.reply(from, {:ok, plan})
  end

  # Who has ended, or is on its way, has no part in it.
  defp describe(session) do
    case GenServer.call(session, {SessionHost, :describe}, @ask_ms) do
      {:ok, offer} -> [offer]
      _on_its_way -> []
    end
  catch
    :exit, _reason -> []
  end

  defp place(offer, {plan, hosts}) do
    plan = %{plan | sessions: plan.sessions + 1, bytes: plan.bytes + offer.bytes}
    version = offer.state_version

    case Placement.rank_leaving(offer.id, hosts, version, Settings.app_version()) do
      [%{node: node} | _rest] -> {count(plan, :targets, node), fill(hosts, node)}
      [] -> {count(plan, :refusals, refusal(offer, hosts)), hosts}
    end
  end

  defp count(plan, key, who), do: update_in(plan[key], &Map.update(&1, who, 1, fn n -> n + 1 end))

  defp fill(hosts, node) do
    Enum.map(hosts, &if(&1.node == node, do: %{&1 | sessions: &1.sessions + 1}, else: &1))
  end

  # What the host that its placement names would say.
  defp refusal(_offer, []), do: :no_host

  defp refusal(offer, hosts) do
    case Enum.max_by(hosts, &{Placement.weight(offer.id, &1.node), &1.node}) do
      %{draining: true} -> :draining
      %{sessions: sessions, capacity: capacity} when sessions >= capacity -> :full
      _host -> :unsupported_state_version
    end
  end
end
