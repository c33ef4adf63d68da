defmodule Minotaur.Cluster.RpcTest do
  @moduledoc """
  `Minotaur.GameEngine` on a C node, called in every way in which one BEAM node calls another.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}
  alias Minotaur.GameEngine.{Game, Vector}

  @env [minotaur: [round_seconds: 0]]
  @users for n <- 1..2, do: %{id: "user-#{n}", display_name: "Player #{n}"}

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  describe "one C node, called from a BEAM node," do
    setup ctx do
      a = Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
      c = Cluster.start_node(ctx.cluster, kind: :c, environment: @env)
      [a: a, c: c, probe: Probe.start(ctx.cluster, a)]
    end

    for module <- [:rpc, :erpc] do
      # One game from its start to its end, each step by a function of the module.
      test "answers every function of GameEngine by #{module}", ctx do
        ask = fn function, arguments ->
          at_a(ctx, unquote(module), :call, [ctx.c, GameEngine, function, arguments])
        end

        assert {:ok, pid} = ask.(:create_game, ["a code", @users])
        assert node(pid) == ctx.c
        assert {:ok, %Game{id: id} = game} = ask.(:get_game_by_join_code, ["a code"])
        assert ask.(:get_game, [id]) == {:ok, game}
        assert ask.(:whereis, [id]) == pid
        assert ask.(:get_player_status, [game, "user-1"]) == :active
        assert {:ok, %Game{}} = try_moves(ask, id)
        target = Enum.find(game.players, fn {_id, player} -> player.user_id == "user-2" end)
        attack = ask.(:register_attack, [id, "user-1", elem(target, 0)])
        assert match?({:ok, %Game{}}, attack) or attack == {:error, :target_out_of_reach}
        assert {:ok, %Game{round: 2}} = ask.(:end_round, [id])
        assert ask.(:resume_active_sessions, []) == :ok

        other = game_fixture(round_end_time: nil)
        assert {:ok, pid} = ask.(:continue_game, ["other code", other])
        assert ask.(:continue_game, [other]) == {:error, {:already_started, pid}}
        assert {:ok, _pid} = ask.(:continue_game, [game_fixture(round_end_time: nil)])
      end
    end

    # The ways that do not wait, that ask many, and that wait later.
    test "answers multicalls, casts and requests", ctx do
      game = game_fixture(round_end_time: nil)
      mfa = [GameEngine, :continue_game, [game]]
      assert [{:ok, {:ok, pid}}] = at_a(ctx, :erpc, :multicall, [[ctx.c] | mfa])

      get = [GameEngine, :get_game, [game.id]]
      expected = {:ok, game}
      gone = :"gone@127.0.0.1"
      assert {[^expected], [^gone]} = at_a(ctx, :rpc, :multicall, [[ctx.c, gone] | get])
      assert {:ok, ^expected} = Probe.run(ctx.cluster, ctx.probe, Probe, :request, [ctx.c | get])
      assert {:ok, ^expected} = Probe.run(ctx.cluster, ctx.probe, Probe, :async, [ctx.c | get])
      assert at_a(ctx, :rpc, :block_call, [ctx.c | get]) == expected

      assert at_a(ctx, :rpc, :cast, [ctx.c, GameEngine, :end_round, [game.id]]) == true
      assert at_a(ctx, :erpc, :cast, [ctx.c, GameEngine, :end_round, [game.id]]) == :ok
      casts = [[ctx.c], GameEngine, :end_round, [game.id]]
      assert at_a(ctx, :erpc, :multicast, casts) == :ok

      wait_until(fn ->
        assert %{round: 4} = at_a(ctx, GenServer, :call, [pid, :get_game])
      end)
    end

    # Unknown functions, wrong arities and wrong arguments are told: nobody is left hanging.
    test "says what it does not have", ctx do
      for {module, function, arguments} <- [
            {GameEngine, :no_such_function, []},
            {GameEngine, :get_game, []},
            {:no_such_module, :f, [1, 2]}
          ] do
        mfa = [ctx.c, module, function, arguments]
        assert {:ok, answer} = Probe.run(ctx.cluster, ctx.probe, :rpc, :call, mfa)
        assert {:badrpc, {:EXIT, {:undef, [{^module, ^function, ^arguments, _} | _]}}} = answer
        assert {:error, raised} = Probe.run(ctx.cluster, ctx.probe, :erpc, :call, mfa)
        assert {:exception, :undef, [{^module, ^function, ^arguments, _} | _]} = raised
      end

      assert at_a(ctx, :rpc, :call, [ctx.c, GameEngine, :get_game, ["no id"]]) ==
               {:error, :game_not_alive}
    end

    # Larger than any piece in which a BEAM sends.
    test "takes and gives back a game of a megabyte", ctx do
      text = :binary.copy("0123456789abcdef", 65_536)
      game = unknown(game_fixture(round_end_time: nil), :notes, text)
      assert {:ok, _pid} = at_a(ctx, :erpc, :call, [ctx.c, GameEngine, :continue_game, [game]])
      assert at_a(ctx, :rpc, :call, [ctx.c, GameEngine, :get_game, [game.id]]) == {:ok, game}
    end
  end

  # Whoever is asked, the games go to the hosts of their rankings, each answer in its place.
  for asked <- [:beam, :c], other <- [:beam, :c] do
    test "a #{asked} host creates many games, on a #{other} host too", ctx do
      hosts =
        for kind <- [unquote(asked), unquote(other)],
            do: Cluster.start_node(ctx.cluster, kind: kind, environment: @env)

      create = &Cluster.call(ctx.cluster, hd(hosts), GameEngine, :create_games, [&1])
      wait_until(fn -> assert length(known(ctx, hd(hosts))) == 2 end)
      games = for n <- 1..62, do: {"code #{n}", @users}
      answers = create.([{nil, []} | games] ++ [{"", @users}])

      assert length(answers) == 64
      assert {:error, {:invalid_users, [], {:expected, {:length, 1, 18}}}} = hd(answers)
      assert List.last(answers) == {:error, :invalid_join_code}
      started = Enum.slice(answers, 1, 62)
      nodes = for {:ok, pid} <- started, do: node(pid)
      assert length(nodes) == 62
      assert Enum.sort(Enum.uniq(nodes)) == Enum.sort(hosts)

      for host <- hosts, {{code, _users}, {:ok, pid}} <- Enum.zip(games, started) do
        {:ok, game} = Cluster.call(ctx.cluster, host, GameEngine, :get_game_by_join_code, [code])
        assert Cluster.call(ctx.cluster, host, GameEngine, :whereis, [game.id]) == pid
      end

      assert Enum.uniq(create.([hd(games), hd(games)])) == [{:error, :join_code_taken}]
      assert create.([{nil, @users}, :x]) == {:error, {:invalid_games, [1], {:expected, :pair}}}

      assert create.(List.duplicate({nil, @users}, 257)) ==
               {:error, {:invalid_games, [], {:expected, {:length, 1, 256}}}}
    end
  end

  # Each of three hosts has a session, and each is asked for all of them.
  test "a host answers for a session that lives on another", ctx do
    kinds = [:beam, :c, :c]
    hosts = for kind <- kinds, do: Cluster.start_node(ctx.cluster, kind: kind, environment: @env)

    games =
      for host <- hosts do
        game = game_fixture(round_end_time: nil)
        request = {:start_session, "code of #{host}", game}
        {:ok, pid} = Cluster.genserver_call(ctx.cluster, host, {SessionHost, host}, request)
        assert node(pid) == host
        {host, pid, game}
      end

    for asked <- hosts, {host, pid, game} <- games do
      ask = fn function, arguments ->
        Cluster.call(ctx.cluster, asked, GameEngine, function, arguments)
      end

      assert ask.(:whereis, [game.id]) == pid
      assert ask.(:get_game_by_join_code, ["code of #{host}"]) == ask.(:get_game, [game.id])
      assert ask.(:continue_game, [game]) == {:error, {:already_started, pid}}
      {:ok, before} = ask.(:get_game, [game.id])
      assert {:ok, _moved} = try_moves(ask, game.id)
      assert ask.(:register_attack, [game.id, "nobody", 1]) == {:error, :player_not_found}
      assert {:ok, ended} = ask.(:end_round, [game.id])
      assert ended.round == before.round + 1
    end

    for asked <- hosts do
      missing = Cluster.call(ctx.cluster, asked, GameEngine, :get_game, ["no such id"])
      assert missing == {:error, :game_not_alive}
    end
  end

  defp known(ctx, host) do
    Cluster.genserver_call(ctx.cluster, host, {SessionHost, host}, :hosts)
  end

  defp try_moves(ask, id) do
    Enum.find_value([{0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}], fn {q, r} ->
      answer = ask.(:register_move, [id, "user-1", %Vector{q: q, r: r}])
      if answer != {:error, :illegal_move}, do: answer
    end)
  end

  defp at_a(ctx, module, function, arguments) do
    Cluster.call(ctx.cluster, ctx.a, module, function, arguments)
  end
end
