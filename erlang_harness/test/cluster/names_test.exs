defmodule Minotaur.Cluster.NamesTest do
  @moduledoc """
  The names of sessions in `:global`, as any Elixir process uses them, and `:global` itself with a C
  node in the cluster.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.Names

  @env [minotaur: [round_seconds: 0]]
  @no_sessions [minotaur: [round_seconds: 0, capacity: 0]]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    [cluster: cluster]
  end

  for kind <- [:beam, :c] do
    describe "a session on a #{kind} node" do
      @describetag kind: kind
      setup :start_owner_and_two_others

      # The id and the join code lead to one process, from the API and from a plain via name.
      test "is found from every node under both names", ctx do
        for node <- [ctx.a, ctx.b], key <- [{:id, ctx.game.id}, {:join_code, "its code"}] do
          name = Names.global_name(key)
          wait_until(fn -> assert at(ctx, node, :global, :whereis_name, [name]) == ctx.pid end)
          assert at(ctx, node, GenServer, :call, [{:via, :global, name}, :get_game]) == ctx.game
        end

        for node <- [ctx.a, ctx.b, ctx.owner] do
          assert at(ctx, node, GameEngine, :whereis, [ctx.game.id]) == ctx.pid
          assert at(ctx, node, GameEngine, :get_game, [ctx.game.id]) == {:ok, ctx.game}

          assert at(ctx, node, GameEngine, :get_game_by_join_code, ["its code"]) ==
                   {:ok, ctx.game}
        end
      end

      # A second start says where the first one is, on whichever node.
      test "is not started twice", ctx do
        for node <- [ctx.a, ctx.b, ctx.owner] do
          assert at(ctx, node, GameEngine, :continue_game, [ctx.game]) ==
                   {:error, {:already_started, ctx.pid}}
        end
      end

      # Whoever asks at the same moment as others gets the one session that there is.
      test "is started once when all ask for it at once", ctx do
        nodes = [ctx.a, ctx.b, ctx.owner]

        for _round <- 1..5 do
          game = game_fixture(round_end_time: nil)
          arguments = ["code of #{game.id}", game]
          ask = fn node -> at(ctx, node, GameEngine, :continue_game, arguments) end
          answers = nodes |> Enum.map(&Task.async(fn -> ask.(&1) end)) |> Task.await_many(30_000)
          assert [{:ok, pid}] = Enum.filter(answers, &match?({:ok, _}, &1))
          assert answers -- [{:ok, pid}] == List.duplicate({:error, {:already_started, pid}}, 2)
        end
      end

      # A join code leads to one session: the second is told so, and leaves nothing behind.
      test "keeps its join code", ctx do
        other = game_fixture(round_end_time: nil)

        for node <- [ctx.a, ctx.owner] do
          assert at(ctx, node, GameEngine, :continue_game, ["its code", other]) ==
                   {:error, :join_code_taken}

          assert at(ctx, node, GameEngine, :get_game, [other.id]) == {:error, :game_not_alive}

          assert at(ctx, node, GameEngine, :get_game_by_join_code, ["its code"]) ==
                   {:ok, ctx.game}
        end

        assert {:ok, _pid} = at(ctx, ctx.b, GameEngine, :continue_game, ["a free code", other])
      end

      # An ended session leaves no name behind.
      test "is gone everywhere when it ends", ctx do
        Cluster.send(ctx.cluster, ctx.a, ctx.pid, :end_session)
        assert_gone(ctx)
      end

      # Nor does a dead node.
      test "is gone everywhere when its node dies", ctx do
        Cluster.stop_node(ctx.cluster, ctx.owner, graceful_shutdown: false)
        assert_gone(ctx)
      end

      # The nodes through which the names came need not stay.
      test "keeps its names when another node leaves", ctx do
        Cluster.stop_node(ctx.cluster, ctx.a)
        Cluster.stop_node(ctx.cluster, ctx.b, graceful_shutdown: false)
        late = Cluster.start_node(ctx.cluster, kind: :beam, environment: @no_sessions)

        for key <- [{:id, ctx.game.id}, {:join_code, "its code"}] do
          name = Names.global_name(key)
          wait_until(fn -> assert at(ctx, late, :global, :whereis_name, [name]) == ctx.pid end)
        end
      end

      # Nobody waits for this node when :global is used for other things.
      test "does not hold :global up", ctx do
        for node <- [ctx.a, ctx.b] do
          assert at(ctx, node, :global, :sync, []) == :ok
          assert at(ctx, node, :global, :trans, [{:a_lock, node}, &:erlang.node/0]) == node
          assert at(ctx, node, :global, :set_lock, [{:another, node}]) == true
          assert at(ctx, node, :global, :del_lock, [{:another, node}]) == true
        end
      end
    end
  end

  defp start_owner_and_two_others(ctx) do
    a = Cluster.start_node(ctx.cluster, kind: :beam, environment: @no_sessions)
    owner = Cluster.start_node(ctx.cluster, environment: @env)
    b = Cluster.start_node(ctx.cluster, kind: :beam, environment: @no_sessions)
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = Cluster.call(ctx.cluster, a, GameEngine, :continue_game, ["its code", game])
    assert node(pid) == owner
    [a: a, b: b, owner: owner, game: game, pid: pid]
  end

  defp assert_gone(ctx) do
    for node <- [ctx.a, ctx.b], key <- [{:id, ctx.game.id}, {:join_code, "its code"}] do
      name = Names.global_name(key)
      wait_until(fn -> assert at(ctx, node, :global, :whereis_name, [name]) == :undefined end)
    end

    gone = {:error, :game_not_alive}

    for node <- [ctx.a, ctx.b],
        do: assert(gone == at(ctx, node, GameEngine, :get_game, [ctx.game.id]))
  end

  defp at(ctx, node, module, function, arguments) do
    Cluster.call(ctx.cluster, node, module, function, arguments)
  end
end
