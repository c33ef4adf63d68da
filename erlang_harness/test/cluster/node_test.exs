defmodule Minotaur.Cluster.NodeTest do
  @moduledoc "A C node as BEAM nodes see it: it comes, is listed and monitored, goes, comes back."

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, OsProcess, Probe}
  alias Minotaur.ClusterHelper, as: Cluster

  # For what takes several rounds of dialling.
  @mesh_ms 20_000
  @ticktime_s 4

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  # The functions of Node and :net_kernel do what they do for a BEAM node.
  test "a C node is pinged, listed, monitored and disconnected", ctx do
    a = start(ctx, kind: :beam)
    c = start(ctx, kind: :c, connect: [])
    assert at(ctx, a, Node, :ping, [c]) == :pong
    assert at(ctx, a, Node, :list, []) == [c]
    assert at(ctx, a, :erpc, :call, [c, :erlang, :nodes, []]) == [a]
    probe = Probe.start(ctx.cluster, a)
    assert {:ok, true} = Probe.run(ctx.cluster, probe, Node, :monitor, [c, true])
    watch_nodes(ctx, probe)

    assert at(ctx, a, Node, :disconnect, [c]) == true
    assert_messages(ctx, probe, [{:nodedown, c}, down(c, :disconnect)])
    assert at(ctx, a, Node, :list, []) == []
    wait_until(fn -> assert log(ctx, c) =~ "peer.down" end)

    assert at(ctx, a, Node, :ping, [c]) == :pong
    assert_messages(ctx, probe, [{:nodeup, c, []}])
    Cluster.stop_node(ctx.cluster, c, graceful_shutdown: false)
    assert_messages(ctx, probe, [down(c, :connection_closed)])
    assert at(ctx, a, Node, :ping, [c]) == :pang
  end

  # A node that leaves in order is gone from Node.list() as soon as it has ended.
  test "a C node that stops is seen to go", ctx do
    a = start(ctx, kind: :beam)
    c = start(ctx, kind: :c, connect: [a])
    wait_until(fn -> assert at(ctx, a, Node, :list, []) == [c] end)
    probe = Probe.start(ctx.cluster, a)
    watch_nodes(ctx, probe)
    Cluster.stop_node(ctx.cluster, c)
    assert_messages(ctx, probe, [down(c, :connection_closed)])
  end

  # An address for which no loopback is there cannot be tested.
  no_ipv6? = match?({:error, _}, :gen_tcp.listen(0, [:inet6, ip: {0, 0, 0, 0, 0, 0, 0, 1}]))

  for {what, host, beam_arguments, c_arguments, skip?} <- [
        {"short names", "localhost", [], [], false},
        {"long names", "127.0.0.1", [], [], false},
        {"names and connections in IPv6", "::1", ~w(-proto_dist inet6_tcp), ~w(--listen ::1),
         no_ipv6?}
      ] do
    @tag skip: skip?
    @tag host: host, beam_arguments: beam_arguments, c_arguments: c_arguments
    test "#{what} work, whoever dials", ctx do
      a = start(ctx, kind: :beam, name: :"a@#{ctx.host}", arguments: ctx.beam_arguments)
      c_options = [kind: :c, arguments: ctx.c_arguments]
      c = start(ctx, c_options ++ [name: :"c@#{ctx.host}", connect: [a]])
      wait_until(fn -> assert at(ctx, a, Node, :list, []) == [c] end)
      d = start(ctx, c_options ++ [name: :"d@#{ctx.host}", connect: []])
      assert at(ctx, a, Node, :ping, [d]) == :pong

      for node <- [c, d] do
        others = Enum.sort([a, c, d] -- [node])

        wait_until(fn ->
          assert Enum.sort(at(ctx, a, :erpc, :call, [node, :erlang, :nodes, []])) == others
        end)
      end
    end
  end

  # Each has been told one other; a node that is learnt from a peer is dialled.
  test "two BEAM and two C nodes become a mesh", ctx do
    a = start(ctx, kind: :beam)
    b = start(ctx, kind: :beam)
    assert at(ctx, b, Node, :connect, [a]) == true
    c = start(ctx, kind: :c, connect: [b])
    d = start(ctx, kind: :c, connect: [c])
    await_mesh(ctx, [a, b, c, d])
  end

  # BEAM nodes meet through a C node as they would through one of their own.
  test "two BEAM nodes that know only a C node meet", ctx do
    c = start(ctx, kind: :c, connect: [])
    a = start(ctx, kind: :beam)
    b = start(ctx, kind: :beam)
    for node <- [a, b], do: assert(at(ctx, node, Node, :connect, [c]) == true)
    await_mesh(ctx, [a, b, c])
  end

  # Hidden nodes are in no mesh and on no list but the hidden one.
  test "a hidden C node is not in Node.list() and dials nobody it was not told", ctx do
    a = start(ctx, kind: :beam)
    b = start(ctx, kind: :beam)
    assert at(ctx, b, Node, :connect, [a]) == true
    c = start(ctx, kind: :c, hidden: true, connect: [a])
    wait_until(fn -> assert at(ctx, a, Node, :list, [:hidden]) == [c] end)
    assert at(ctx, a, Node, :list, []) == [b]
    # Long enough for whoever meshes: one that is not hidden has met all.
    d = start(ctx, kind: :c, connect: [a])
    wait_until(fn -> assert d in at(ctx, b, Node, :list, []) end, @mesh_ms)
    assert at(ctx, b, Node, :list, [:hidden]) == []
    assert at(ctx, a, :erpc, :call, [c, :erlang, :nodes, [:connected]]) == [a]
  end

  # Every pair has one connection, and no connection was opened twice.
  test "nodes that dial each other at the same moment have one connection", ctx do
    beams = [start(ctx, kind: :beam), start(ctx, kind: :beam)]
    assert at(ctx, hd(beams), Node, :connect, [List.last(beams)]) == true

    for round <- 1..20 do
      names = for n <- 1..3, do: :"tie#{n}-#{round}@127.0.0.1"
      calls = for beam <- beams, name <- names, do: Task.async(fn -> dial(ctx, beam, name) end)

      starts =
        for name <- names, do: Task.async(fn -> start_dialling(ctx, name, names, beams) end)

      Task.await_many(starts ++ calls, 60_000)
      await_mesh(ctx, beams ++ names)
      for name <- names, other <- beams ++ (names -- [name]), do: assert_once(ctx, name, other)
      for name <- names, do: Cluster.stop_node(ctx.cluster, name, graceful_shutdown: false)
    end
  end

  # What was told by --connect is dialled for ever.
  test "a BEAM node that dies and comes back under its name is met again", ctx do
    a = start(ctx, kind: :beam)
    c = start(ctx, kind: :c, connect: [a])
    wait_until(fn -> assert at(ctx, a, Node, :list, []) == [c] end)
    Cluster.stop_node(ctx.cluster, a, graceful_shutdown: false)
    wait_until(fn -> assert log(ctx, c) =~ ~r/dial.failed.*#{a}/ end)
    assert start(ctx, kind: :beam, name: a) == a
    wait_until(fn -> assert at(ctx, a, Node, :list, []) == [c] end, @mesh_ms)
    # The same failure is told once, however often it was tried.
    assert length(Regex.scan(~r/dial.failed.*no node of this name/, log(ctx, c))) == 1
  end

  # As BEAM nodes let go of both: it has said so, whether it ends or asks to be left alone.
  for how <- ["ends", "leaves"] do
    test "a C node that #{how} in order is not looked for, one that is killed is", ctx do
      a = start(ctx, kind: :beam)
      [c, leaver, lost] = cs = for _ <- 1..3, do: start(ctx, kind: :c, connect: [])
      for node <- cs, do: assert(at(ctx, a, Node, :connect, [node]) == true)
      await_mesh(ctx, [a | cs])
      ups = count(ctx, c, ~r/peer.up.*#{leaver}/)

      if unquote(how) == "ends",
        do: Cluster.stop_node(ctx.cluster, leaver),
        else: at(ctx, leaver, :global, :disconnect, [])

      Cluster.stop_node(ctx.cluster, lost, graceful_shutdown: false)
      wait_until(fn -> assert count(ctx, c, ~r/dial.failed.*#{lost}/) >= 3 end, @mesh_ms)
      assert count(ctx, c, ~r/dial.failed.*#{leaver}/) == 0
      assert count(ctx, c, ~r/peer.up.*#{leaver}/) == ups
      assert at(ctx, c, :erlang, :nodes, []) == [a]
    end
  end

  # Either side may have another cookie: no connection, a line that says why, nobody else disturbed.
  test "a wrong cookie is refused and said to be one", ctx do
    a = start(ctx, kind: :beam)
    b = start(ctx, kind: :beam)
    c = start(ctx, kind: :c, connect: [a])
    wait_until(fn -> assert at(ctx, a, Node, :list, []) == [c] end)
    at(ctx, b, :erlang, :set_cookie, [c, :wrong])
    assert at(ctx, b, Node, :connect, [c]) == false
    wait_until(fn -> assert log(ctx, c) =~ ~r/handshake.refused.*#{b}.*wrong cookie/ end)

    d = :"wrong-#{System.unique_integer([:positive])}@127.0.0.1"
    at(ctx, b, :erlang, :set_cookie, [d, :wrong])
    assert start(ctx, kind: :c, name: d, connect: [b]) == d
    wait_until(fn -> assert log(ctx, d) =~ ~r/dial.failed.*#{b}.*wrong cookie/ end)

    assert at(ctx, b, Node, :list, []) == []
    assert at(ctx, a, Node, :list, []) == [c]
    refute log(ctx, c) =~ "peer.down"
    assert length(Regex.scan(~r/peer.up/, log(ctx, c))) == 1
  end

  # Three pairs that know nothing of each other, so that only their ticks matter.
  test "ticks keep idle connections, and who is frozen is dropped and comes back", ctx do
    [{idle, idle_c}, {awake, frozen_c}, {frozen, awake_c}] = for _ <- 1..3, do: ticking_pair(ctx)
    from = System.monotonic_time(:millisecond)
    packets = at(ctx, idle, Probe, :packets_from, [idle_c])
    [idle_probe, awake_probe] = for a <- [idle, awake], do: watching_probe(ctx, a)
    for node <- [frozen_c, frozen], do: signal(ctx, node, :stop)

    assert_messages(ctx, awake_probe, [down(frozen_c, :net_tick_timeout)])

    wait_until(
      fn -> assert log(ctx, awake_c) =~ ~r/peer.down.*#{frozen}: net_tick_timeout/ end,
      @mesh_ms
    )

    for node <- [frozen_c, frozen], do: signal(ctx, node, :cont)
    wait_until(fn -> assert at(ctx, awake, Node, :list, []) == [frozen_c] end, @mesh_ms)
    wait_until(fn -> assert at(ctx, frozen, Node, :list, []) == [awake_c] end, @mesh_ms)

    wait_until(
      fn ->
        assert System.monotonic_time(:millisecond) - from > 3 * @ticktime_s * 1_000
        assert at(ctx, idle, Probe, :packets_from, [idle_c]) - packets >= 3 * @ticktime_s
      end,
      @mesh_ms
    )

    assert Probe.messages(ctx.cluster, idle_probe) == []
    refute log(ctx, idle_c) =~ "peer.down"
  end

  defp ticking_pair(ctx) do
    a = start(ctx, kind: :beam, net_ticktime: @ticktime_s)
    c = start(ctx, kind: :c, connect: [a], net_ticktime: @ticktime_s)
    wait_until(fn -> assert at(ctx, a, Node, :list, []) == [c] end)
    {a, c}
  end

  defp watching_probe(ctx, node) do
    probe = Probe.start(ctx.cluster, node)
    watch_nodes(ctx, probe)
    probe
  end

  defp start_dialling(ctx, name, names, beams) do
    start(ctx, kind: :c, name: name, connect: beams ++ (names -- [name]))
  end

  # From before the node is there until it is connected.
  defp dial(ctx, beam, name) do
    wait_until(fn -> assert at(ctx, beam, Node, :connect, [name]) == true end, @mesh_ms)
  end

  defp assert_once(ctx, name, other) do
    log = log(ctx, name)
    assert length(Regex.scan(~r/peer\.up.* #{other} at/, log)) == 1, log
    refute log =~ ~r/peer\.(down|replaced).* #{other}:/, log
  end

  defp await_mesh(ctx, nodes) do
    for node <- nodes do
      others = Enum.sort(nodes -- [node])
      seen = fn -> Enum.sort(at(ctx, node, :erlang, :nodes, [])) end
      wait_until(fn -> assert {node, seen.()} == {node, others} end, @mesh_ms)
    end
  end

  # Without the harness's connections to all.
  defp start(ctx, options) do
    options = Keyword.put_new(options, :applications, [])
    {:ok, node} = Manager.start_node(ctx.cluster, options)
    node
  end

  defp watch_nodes(ctx, probe) do
    arguments = [true, [:nodedown_reason]]
    assert {:ok, :ok} = Probe.run(ctx.cluster, probe, :net_kernel, :monitor_nodes, arguments)
  end

  defp down(node, reason), do: {:nodedown, node, [nodedown_reason: reason]}

  defp assert_messages(ctx, probe, messages) do
    wait_until(fn -> assert messages -- Probe.messages(ctx.cluster, probe) == [] end, @mesh_ms)
  end

  defp signal(ctx, node, signal) do
    assert OsProcess.signal(Cluster.os_pid(ctx.cluster, node), signal)
  end

  defp at(ctx, node, module, function, arguments) do
    Cluster.call(ctx.cluster, node, module, function, arguments)
  end

  defp count(ctx, node, pattern), do: length(Regex.scan(pattern, log(ctx, node)))
  defp log(ctx, node), do: Cluster.logs(ctx.cluster, node)
end
