defmodule Minotaur.Cluster.HandoffHelper do
  @moduledoc """
  What the tests of failing handoffs share: hosts with failpoints, sessions whose ranking is known,
  players that must not notice.
  """

  import ExUnit.Assertions
  import ExUnit.Callbacks, only: [start_supervised!: 1]
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, Placement, SessionHost}

  @doc "Starts the node of the clients, which finds sessions and carries none."
  @spec start_third(pid, keyword) :: node
  def start_third(cluster, options \\ []) do
    environment = [minotaur: [round_seconds: 0, capacity: 0]]
    Cluster.start_node(cluster, [kind: :beam, environment: environment] ++ options)
  end

  @doc """
  Starts a cluster for a test: the node of the clients, and the host `node1` of kind `kind1` with
  the options of `start_host/4`.
  """
  @spec start_first(map, keyword) :: map
  def start_first(ctx, options \\ []) do
    cluster = start_supervised!({Cluster.Manager, ctx})
    ctx = Map.merge(ctx, %{cluster: cluster, third: start_third(cluster)})
    Map.put(ctx, :node1, start_host(ctx, ctx.kind1, nil, options))
  end

  @doc """
  Starts a host that fails at `failpoint` (`"out_ready=kill"`; nil: nowhere). `:drain_seconds` and
  `:names_wait_ms` are settings of it, the other options those of
  `Minotaur.ClusterHelper.start_node/2`.
  """
  @spec start_host(map, :beam | :c, String.t() | nil, keyword) :: node
  def start_host(ctx, kind, failpoint \\ nil, options \\ []) do
    failing = if failpoint, do: [failpoint: failpoint], else: []
    {settings, options} = Keyword.split(options, [:drain_seconds, :names_wait_ms])
    environment = [minotaur: [round_seconds: 0] ++ failing ++ settings]
    Cluster.start_node(ctx.cluster, [kind: kind, environment: environment] ++ options)
  end

  @doc "Starts a session on `node`; the last of the `others` is the last of its ranking."
  @spec start_session(map, node, [node, ...]) :: struct
  def start_session(ctx, node, others) do
    game = game_that_ends_at(List.last(others), others)
    request = {:start_session, "code-#{game.id}", game}
    {:ok, pid} = Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, request)
    assert node(pid) == node
    wait_until(fn -> assert on_third(ctx, :whereis, [game.id]) == pid end)
    game
  end

  @doc "Starts players on the third node, and waits until they play."
  @spec start_players(map, struct) :: [pid]
  def start_players(ctx, game) do
    players = Cluster.call(ctx.cluster, ctx.third, Players, :start, [game, 1])
    await_calls(ctx, players, 20)
    players
  end

  @doc "Waits until each player has made `more` further calls."
  @spec await_calls(map, [pid], pos_integer) :: :ok
  def await_calls(ctx, players, more) do
    calls = fn -> Cluster.call(ctx.cluster, ctx.third, Players, :calls, [players]) end
    before = calls.()

    wait_until(
      fn -> assert Enum.all?(Enum.zip(before, calls.()), fn {b, now} -> now >= b + more end) end,
      20_000
    )

    :ok
  end

  @doc "The players go on at `owner`, no call has failed, and nothing is lost or doubled."
  @spec assert_played_on(map, struct, [pid], node) :: :ok
  def assert_played_on(ctx, game, players, owner) do
    await_calls(ctx, players, 20)
    {copy, failures} = Cluster.call(ctx.cluster, ctx.third, Players, :stop, [players])
    assert failures == []
    assert {:ok, copy} == on_third(ctx, :get_game, [game.id])
    assert node(on_third(ctx, :whereis, [game.id])) == owner
    :ok
  end

  @doc """
  The sessions that a host owns, as it says to the third node: who has short net ticks would drop
  that one if it said nothing for long.
  """
  @spec sessions(map, node) :: [map]
  def sessions(ctx, node),
    do: Cluster.genserver_call(ctx.cluster, ctx.third, {SessionHost, node}, :sessions)

  @doc "How many session processes a host has, of those that are on their way, too."
  @spec session_processes(map, node) :: non_neg_integer
  def session_processes(ctx, node) do
    supervisor = {Minotaur.GameEngine.SessionSupervisor, node}
    Cluster.genserver_call(ctx.cluster, ctx.third, supervisor, :count_children)[:active]
  end

  @doc "Ends a probe, and with it what it watches."
  @spec stop_probe(map, pid) :: true
  def stop_probe(ctx, probe),
    do: Cluster.call(ctx.cluster, ctx.third, Process, :exit, [probe, :kill])

  @doc "Applies a function of the engine on the third node."
  @spec on_third(map, atom, [term]) :: term
  def on_third(ctx, function, arguments),
    do: Cluster.call(ctx.cluster, ctx.third, GameEngine, function, arguments)

  defp game_that_ends_at(last, nodes) do
    game = game_fixture(round_end_time: nil)
    worst = Enum.min_by(nodes, &{Placement.weight(game.id, &1), &1})
    if worst == last, do: game, else: game_that_ends_at(last, nodes)
  end
end
