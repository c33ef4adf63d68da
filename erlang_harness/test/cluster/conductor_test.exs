defmodule Minotaur.Cluster.ConductorTest do
  @moduledoc """
  What an operator orders while all hosts stay: moves of one session, a rehearsal, a rebalance, for
  each pairing of BEAM and C nodes. Players and operator are on a third node, which carries none.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.Cluster.HandoffHelper, only: [await_calls: 3, start_first: 1, start_host: 2]
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine.Names
  alias Minotaur.{GameEngine, Hosts, Placement, SessionHost}

  setup :start_first

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "a #{kind1} node and a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # An operator moves a game about while it is played, and nobody notices.
      test "a session is moved, and back, under its players", ctx do
        {:ok, ctx} = add(ctx, games: start_games(ctx, 1))
        {:ok, ctx} = add(ctx, node2: start_second(ctx))
        [game] = ctx.games
        players = on_third(ctx, Players, :start, [game, 4])

        for target <- [ctx.node2, ctx.node1, ctx.node2] do
          await_calls(ctx, players, 20)
          # A C host does not take back what it still forwards.
          wait_until(fn -> assert move(ctx, game.id, target) == :ok end)
          assert owner(ctx, game.id) == target
        end

        assert on_third(ctx, Hosts, :move, [game.id, ctx.node2]) == :ok
        assert {:error, {:not_here, pid}} = ask(ctx, ctx.node1, {:move, game.id, ctx.node1})
        assert node(pid) == ctx.node2
        await_calls(ctx, players, 20)
        assert {copy, []} = on_third(ctx, Players, :stop, [players])
        assert {:ok, copy} == on_third(ctx, GameEngine, :get_game, [game.id])
      end

      # A host has come: what belongs to it moves there, the rest stays, players notice nothing.
      test "a rebalance moves those that belong elsewhere, under their players", ctx do
        {:ok, ctx} = add(ctx, games: start_games(ctx, 40))
        {:ok, ctx} = add(ctx, node2: start_second(ctx))
        {movers, stayers} = Enum.split_with(ctx.games, &(best(ctx, &1.id) == ctx.node2))
        {count, others} = {length(movers), length(stayers)}
        assert count > 5 and others > 5
        played = [hd(movers), hd(stayers)]
        teams = for game <- played, do: on_third(ctx, Players, :start, [game, 2])
        for players <- teams, do: await_calls(ctx, players, 20)

        # A host that begins later finds those that have come by then, and lets them stay.
        assert {:ok, %{moved: ^count, failed: 0, stayed: stayed}} =
                 on_third(ctx, Hosts, :rebalance)

        assert stayed in others..(others + count)

        for game <- ctx.games, do: assert(owner(ctx, game.id) == best(ctx, game.id))

        assert on_third(ctx, Hosts, :rebalance) ==
                 {:ok, %{moved: 0, failed: 0, stayed: count + others}}

        for {players, game} <- Enum.zip(teams, played) do
          await_calls(ctx, players, 20)
          assert {copy, []} = on_third(ctx, Players, :stop, [players])
          assert {:ok, copy} == on_third(ctx, GameEngine, :get_game, [game.id])
        end

        for game <- ctx.games -- played do
          assert {:ok, ^game} = on_third(ctx, GameEngine, :get_game, [game.id])
        end
      end

      # What a rehearsal promises a drain does.
      test "a rehearsal tells what a drain would do, and moves nothing", ctx do
        {:ok, ctx} = add(ctx, games: start_games(ctx, 8))
        alone = on_third(ctx, Hosts, :rehearse, [ctx.node1])
        assert {:ok, %{sessions: 8, targets: none, refusals: %{full: 8}}} = alone
        assert none == %{}
        {:ok, ctx} = add(ctx, node2: start_second(ctx))
        node2 = ctx.node2
        {:ok, plan} = on_third(ctx, Hosts, :rehearse, [ctx.node1])
        assert %{sessions: 8, bytes: bytes, targets: %{^node2 => 8}, refusals: refused} = plan
        assert refused == %{} and map_size(plan.targets) == 1
        for game <- ctx.games, do: assert(owner(ctx, game.id) == ctx.node1)
        {:ok, summary} = on_third(ctx, Hosts, :drain, [ctx.node1])
        assert %{sessions: 8, moved: 8, lost: 0, bytes: ^bytes} = summary
      end
    end
  end

  for kind <- [:beam, :c] do
    describe "a #{kind} host" do
      @describetag kind1: kind, kind2: kind

      # Each refusal names what is wrong, and the session stays in use.
      test "refuses moves by their field", ctx do
        {:ok, ctx} = add(ctx, games: start_games(ctx, 1))
        {:ok, ctx} = add(ctx, node2: start_second(ctx))
        [%{id: id} = game] = ctx.games
        assert move(ctx, "nobody", ctx.node2) == {:error, :unknown_session}
        assert ask(ctx, ctx.node1, {:move, "nobody", ctx.node2}) == {:error, :unknown_session}
        assert move(ctx, id, "text") == {:error, {:invalid_node, "text"}}
        assert move(ctx, id, :nobody@nowhere) == {:error, :no_such_host}
        assert move(ctx, id, ctx.third) == {:error, :full}
        assert on_third(ctx, Hosts, :cordon, [ctx.node2]) == :ok
        assert move(ctx, id, ctx.node2) == {:error, :draining}
        assert on_third(ctx, Hosts, :uncordon, [ctx.node2]) == :ok
        assert owner(ctx, id) == ctx.node1
        assert on_third(ctx, GameEngine, :get_game, [id]) == {:ok, game}
      end

      # One who moves is moved by nobody else meanwhile, and a host in a drain begins nothing.
      test "is busy while it moves and rebalances, and refuses while it drains", ctx do
        {:ok, ctx} = add(ctx, games: start_games(ctx, 20))
        {:ok, ctx} = add(ctx, node2: start_second(ctx))
        [game | _] = ctx.games
        order = {:move, game.id, ctx.third}
        assert twice(ctx, order, ctx.third) == [error: :busy, error: :full]
        assert [{:error, :busy}, {:ok, counts}] = twice(ctx, :rebalance, ctx.node2)
        assert %{failed: 0, moved: moved, stayed: stayed} = counts
        assert moved + stayed == 20 and length(ask(ctx, ctx.node2, :sessions)) == moved

        players = on_third(ctx, Players, :hold_names)
        drain = Task.async(fn -> on_third(ctx, Hosts, :drain, [ctx.node1]) end)

        for request <- [:rebalance, :rehearse] do
          wait_until(fn -> assert ask(ctx, ctx.node1, request) == {:error, :draining} end)
        end

        on_third(ctx, Players, :release_names, [players])
        assert {:ok, %{sessions: ^stayed, moved: ^stayed, lost: 0}} = Task.await(drain, :infinity)
      end

      # The order and the drain both want the session: it goes once, and the drain waits for that.
      test "that drains takes over a move that fails", ctx do
        {:ok, ctx} = add(ctx, games: start_games(ctx, 3))
        {:ok, ctx} = add(ctx, node2: start_second(ctx))
        [game | _] = ctx.games
        :ok = on_third(ctx, :sys, :suspend, [SessionHost])
        order = {:move, game.id, ctx.third}
        orders = for _ <- 1..2, do: Task.async(fn -> ask(ctx, ctx.node1, order) end)
        wait_until(fn -> assert Enum.count(orders, &Process.alive?(&1.pid)) == 1 end)
        drain = Task.async(fn -> on_third(ctx, Hosts, :drain, [ctx.node1]) end)
        wait_until(fn -> assert length(ask(ctx, ctx.node2, :sessions)) == 2 end)
        assert Process.alive?(drain.pid)
        :ok = on_third(ctx, :sys, :resume, [SessionHost])
        assert orders |> Task.await_many(:infinity) |> Enum.sort() == [error: :busy, error: :full]
        assert {:ok, %{sessions: 3, moved: 3, lost: 0}} = Task.await(drain, :infinity)
        for game <- ctx.games, do: {:ok, ^game} = on_third(ctx, GameEngine, :get_game, [game.id])
      end
    end
  end

  # The first is held up by a host that answers no offer, until the second is refused.
  defp twice(ctx, request, silent) do
    :ok = on_third(ctx, :sys, :suspend, [{SessionHost, silent}])
    tasks = for _ <- 1..2, do: Task.async(fn -> ask(ctx, ctx.node1, request) end)
    wait_until(fn -> assert Enum.count(tasks, &Process.alive?(&1.pid)) == 1 end)
    :ok = on_third(ctx, :sys, :resume, [{SessionHost, silent}])
    tasks |> Task.await_many(:infinity) |> Enum.sort()
  end

  # All on the first node: it is the only host with room.
  defp start_games(ctx, count) do
    for _ <- 1..count, game = game_fixture(round_end_time: nil) do
      {:ok, pid} = on_third(ctx, GameEngine, :continue_game, [game])
      assert node(pid) == ctx.node1
      game
    end
  end

  # It is known to the others, and they to it. Names are told when OTP's `:global` has joined.
  defp start_second(ctx) do
    node2 = start_host(ctx, ctx.kind2)
    nodes = Enum.sort([ctx.third, ctx.node1, node2])

    for node <- nodes do
      wait_until(fn ->
        assert Enum.sort(for(host <- ask(ctx, node, :hosts), do: host.node)) == nodes
      end)
    end

    for game <- ctx.games, do: await_name(ctx, game.id)
    node2
  end

  defp await_name(ctx, id) do
    name = Names.global_name({:id, id})
    wait_until(fn -> assert is_pid(on_third(ctx, :global, :whereis_name, [name])) end)
  end

  defp add(ctx, more), do: {:ok, Map.merge(ctx, Map.new(more))}

  defp best(ctx, id), do: Enum.max_by([ctx.node1, ctx.node2], &{Placement.weight(id, &1), &1})

  # By the hosts alone, whatever names say yet.
  defp owner(ctx, id) do
    [owner] =
      for node <- [ctx.node1, ctx.node2],
          session <- ask(ctx, node, :sessions),
          session.id == id,
          do: node

    owner
  end

  defp move(ctx, id, target), do: on_third(ctx, Hosts, :move, [id, target])

  defp ask(ctx, node, request) do
    Cluster.genserver_call(ctx.cluster, ctx.third, {SessionHost, node}, request)
  end

  defp on_third(ctx, module, function, arguments \\ []) do
    Cluster.call(ctx.cluster, ctx.third, module, function, arguments)
  end
end
