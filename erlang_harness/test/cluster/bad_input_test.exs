defmodule Minotaur.Cluster.BadInputTest do
  @moduledoc """
  What a C node does with requests it does not know, games that are none, and peers that break the
  protocol: it says so, and goes on.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, Probe, RawPeer}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}

  @env [minotaur: [round_seconds: 0]]
  @half_open 400

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    a = Cluster.start_node(cluster, kind: :beam, applications: [])
    c = Cluster.start_node(cluster, kind: :c, environment: @env)
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = Cluster.call(cluster, a, :erpc, :call, [c, GameEngine, :continue_game, [game]])
    [cluster: cluster, a: a, c: c, game: game, pid: pid]
  end

  # A call is answered, the rest is dropped, and the session has noticed nothing.
  test "unknown requests are answered or dropped", ctx do
    for server <- [ctx.pid, {SessionHost, ctx.c}],
        request <- [:no_such_request, {:register_move, 1}, %{a: [1.5, "x"]}, self()] do
      assert at_a(ctx, GenServer, :call, [server, request]) == {:error, :unknown_request}
      assert at_a(ctx, GenServer, :cast, [server, request]) == :ok
      at_a(ctx, :erlang, :send, [server, request])
    end

    for malformed <- [{:"$gen_call", :nobody, :get_game}, {:"$gen_cast"}, {:"$gen_call"}, []] do
      at_a(ctx, :erlang, :send, [ctx.pid, malformed])
    end

    assert_unharmed(ctx)
    # Four casts, four plain messages and four malformed ones; the host has the first eight.
    assert_dropped(ctx, ~r/session #{ctx.game.id}: a (cast|message) dropped/, 12)
    assert_dropped(ctx, ~r/host process: unknown (cast|message) dropped/, 8)
  end

  # The answer names the field, by rpc and by erpc.
  test "a malformed game is refused with the name of its field", ctx do
    game = game_fixture()
    [player | _] = Map.keys(game.players)

    for {malformed, path} <- [
          {%{game | round: 0}, [:round]},
          {%{game | status: :paused}, [:status]},
          {put_in(game.players[player].display_name, 5), [:players, player, :display_name]},
          {%{game | world: nil}, [:world]}
        ],
        module <- [:rpc, :erpc] do
      mfa = [ctx.c, GameEngine, :continue_game, [malformed]]
      assert {:error, {:invalid_game, ^path, reason}} = at_a(ctx, module, :call, mfa)
      assert reason != nil
    end

    version = [ctx.c, GameEngine, :continue_game, [%{game | version: 99}]]
    assert at_a(ctx, :rpc, :call, version) == {:error, :invalid_game_version}
    assert_unharmed(ctx)
  end

  # That connection is closed with a line in the log; nobody else notices.
  test "a peer that sends what cannot be decoded is cut off, and nobody else", ctx do
    probe = Probe.start(ctx.cluster, ctx.a)
    {:ok, true} = Probe.run(ctx.cluster, probe, Node, :monitor, [ctx.c, true])

    for {what, frame, said} <- bad_frames(ctx) do
      name = "raw-#{what}@127.0.0.1"
      {:ok, socket} = RawPeer.connect(port(ctx), name, cookie(ctx))
      RawPeer.send_frame(socket, frame)
      assert RawPeer.closed?(socket), "#{what} did not close the connection"

      wait_until(fn ->
        assert Cluster.logs(ctx.cluster, ctx.c) =~
                 ~r/peer.down: #{name}: protocol_error \(#{said}/
      end)
    end

    assert Probe.messages(ctx.cluster, probe) == []
    assert_unharmed(ctx)
  end

  # Too long, or cut short by the peer's end.
  test "a peer that lies about lengths is cut off", ctx do
    {:ok, socket} = RawPeer.connect(port(ctx), "raw-long@127.0.0.1", cookie(ctx))
    RawPeer.send_raw(socket, <<0xFFFFFFFF::32, 112, 131>>)
    assert RawPeer.closed?(socket)
    wait_until(fn -> assert Cluster.logs(ctx.cluster, ctx.c) =~ ~r/raw-long.*too long/ end)

    {:ok, socket} = RawPeer.connect(port(ctx), "raw-short@127.0.0.1", cookie(ctx))
    RawPeer.send_raw(socket, <<1_000::32, 112, 131, 104>>)
    :gen_tcp.close(socket)
    wait_until(fn -> assert Cluster.logs(ctx.cluster, ctx.c) =~ ~r/peer.down: raw-short/ end)
    assert_unharmed(ctx)
  end

  # Not even a handshake: bytes of other protocols, names that are none, a cookie that is wrong.
  test "a stranger's bytes are refused before they are anybody's", ctx do
    for bytes <- [
          "GET / HTTP/1.1\r\nHost: c\r\n\r\n",
          <<0::16>>,
          <<0xFFFF::16>> <> :binary.copy("x", 0xFFFF),
          <<3::16, "N", 0, 0>>,
          <<21::16, "N", 0xD075F5FBC::64, 1::32, 200::16, "short@">>,
          <<22::16, "N", 0::64, 1::32, 7::16, "a@b.c.d">>,
          :crypto.strong_rand_bytes(3_000)
        ] do
      socket = RawPeer.open(port(ctx))
      RawPeer.send_raw(socket, bytes)
      # What waits for the rest of a message waits until its time is over; others are closed.
      :gen_tcp.shutdown(socket, :write)
      assert RawPeer.closed?(socket)
    end

    assert RawPeer.connect(port(ctx), "raw-guess@127.0.0.1", "no cookie") == :refused
    wait_until(fn -> assert Cluster.logs(ctx.cluster, ctx.c) =~ ~r/raw-guess.*wrong cookie/ end)
    assert_unharmed(ctx)
  end

  # Those who are connected, and those who come, are served while hundreds say nothing.
  test "half-open connections stop nobody", ctx do
    silent = for _ <- 1..@half_open, do: RawPeer.open(port(ctx))

    named =
      for n <- 1..10 do
        socket = RawPeer.open(port(ctx))
        RawPeer.send_name(socket, "half-#{n}@127.0.0.1")
        socket
      end

    assert_unharmed(ctx)
    {:ok, b} = Manager.start_node(ctx.cluster, kind: :beam, applications: [])
    assert Cluster.call(ctx.cluster, b, Node, :ping, [ctx.c]) == :pong
    assert Cluster.call(ctx.cluster, b, GenServer, :call, [ctx.pid, :get_game]) == ctx.game
    assert_unharmed(ctx)
    for socket <- silent ++ named, do: :gen_tcp.close(socket)
  end

  # While somebody keeps opening connections as fast as he can, a node still comes in.
  test "a flood of connections stops nobody", ctx do
    port = port(ctx)
    flood = Task.async(fn -> flood(port) end)
    {:ok, b} = Manager.start_node(ctx.cluster, kind: :beam, applications: [])
    connect = fn -> Cluster.call(ctx.cluster, b, Node, :connect, [ctx.c]) end
    wait_until(fn -> assert connect.() == true end)
    assert Cluster.call(ctx.cluster, b, GenServer, :call, [ctx.pid, :get_game]) == ctx.game
    send(flood.pid, :stop)
    assert Task.await(flood) > 200
    assert_unharmed(ctx)
  end

  defp flood(port, opened \\ 0, sockets \\ :queue.new()) do
    receive do
      :stop -> opened
    after
      0 ->
        sockets = :queue.in(RawPeer.open(port), sockets)
        flood(port, opened + 1, keep(sockets, :queue.len(sockets)))
    end
  end

  defp keep(sockets, length) when length <= 100, do: sockets

  defp keep(sockets, _length) do
    {{:value, oldest}, sockets} = :queue.out(sockets)
    :gen_tcp.close(oldest)
    sockets
  end

  # {name, the frame, what the log says}
  defp bad_frames(ctx) do
    from = RawPeer.pid("raw-from@127.0.0.1", 1)
    ours = &RawPeer.pid("raw-#{&1}@127.0.0.1", 7)
    send = fn message -> RawPeer.frame({2, :"", ctx.pid}, message) end
    decode = "a frame that cannot be decoded"
    control = "an unknown or malformed control message"
    rule = "a signal that breaks a rule"

    [
      {"noise", "no frame at all", decode},
      {"empty", <<112>>, decode},
      {"cut", binary_part(RawPeer.frame({2, :"", ctx.pid}), 0, 12), decode},
      {"version", <<112, 130, 104, 0>>, decode},
      {"cut-message", send.(<<131, 104, 2, 97, 1>>), decode},
      {"giant-binary", send.(<<131, 109, 0xFFFFFFFF::32, 1, 2, 3>>), decode},
      {"giant-list", send.(<<131, 108, 0x7FFFFFFF::32>>), decode},
      {"giant-map", send.(<<131, 116, 0x7FFFFFFF::32>>), decode},
      {"deep", send.(<<131>> <> :binary.copy(<<104, 1>>, 2_000_000) <> <<106>>), decode},
      {"bad-tag", send.(<<131, 1, 2, 3>>), decode},
      {"bad-utf8", send.(<<131, 119, 2, 0xC3, 0x28>>), decode},
      {"tail", send.(<<131, 97, 1, 97, 2>>), decode},
      {"no-tuple", <<112, 131, 97, 1>>, control},
      {"unknown-op", RawPeer.frame({99, 1, 2}), control},
      {"no-op", RawPeer.frame({:send, 1, 2}), control},
      {"arity", RawPeer.frame({1, from}), control},
      {"no-message", RawPeer.frame({2, :"", ctx.pid}), control},
      {"no-pid", RawPeer.frame({19, ours.("no-pid"), 17, make_ref()}), control},
      {"forged-link", RawPeer.frame({1, from, ctx.pid}), rule},
      {"forged-exit", RawPeer.frame({8, from, ctx.pid, :kill}), rule},
      {"forged-down", RawPeer.frame({21, from, ctx.pid, make_ref(), :gone}), rule}
    ]
  end

  # The session answers, with the state it had, and the node has lost no other peer.
  defp assert_unharmed(ctx) do
    assert at_a(ctx, GenServer, :call, [ctx.pid, :get_game]) == ctx.game
    assert ctx.c in at_a(ctx, Node, :list, [])
  end

  defp assert_dropped(ctx, pattern, count) do
    wait_until(fn ->
      assert length(Regex.scan(pattern, Cluster.logs(ctx.cluster, ctx.c))) == count
    end)
  end

  defp port(ctx), do: RawPeer.port(ctx.cluster, ctx.c)

  defp cookie(ctx), do: RawPeer.cookie(ctx.cluster)

  defp at_a(ctx, module, function, arguments) do
    Cluster.call(ctx.cluster, ctx.a, module, function, arguments)
  end
end
