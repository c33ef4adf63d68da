defmodule Minotaur.Cluster.GlobalTest do
  @moduledoc """
  C nodes as full members of `:global`: names are one table on BEAM and C nodes alike, through
  joins, kills, pauses, cut links and partitions; and no lock is left behind.

  What holds with C nodes must hold without: the control runs have BEAM nodes only.
  `GLOBAL_SEEDS=2` runs fewer join storms.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 300_000

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, OsProcess}
  alias Minotaur.ClusterHelper, as: Cluster

  @settle_ms 60_000
  @seeds "GLOBAL_SEEDS" |> System.get_env("20") |> String.to_integer()

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  # The guests are C nodes, or BEAM nodes in their place: what happens then is OTP's own doing.
  for {guests, overlapping} <- [{:echo, true}, {:echo, false}, {:beam, true}] do
    describe "#{guests} guests, prevent_overlapping_partitions #{overlapping}:" do
      @describetag guests: guests, overlapping: overlapping
      setup :start_three_and_two

      # What is registered anywhere is found everywhere, by its owner's kind and all others.
      test "names are everywhere", ctx do
        for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
        for node <- ctx.nodes, do: assert(register(ctx, node, {:of, hd(ctx.nodes)}) == :no)
        for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
        assert unregister(ctx, hd(ctx.guests), {:of, hd(ctx.guests)}) == :ok
        await_nobody(ctx, {:of, hd(ctx.guests)})
        assert_no_locks(ctx)
      end

      # A killed member is gone with its names, and holds nobody up.
      test "a killed member takes its names along", ctx do
        for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
        killed = [hd(ctx.guests), hd(ctx.beams)]
        links = links(ctx, killed)
        for node <- killed, do: Cluster.stop_node(ctx.cluster, node, graceful_shutdown: false)
        ctx = without(ctx, killed)
        for node <- killed, do: await_nobody(ctx, {:of, node})
        for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
        assert register(ctx, hd(ctx.beams), :later) == :yes
        await_holder(ctx, :later, hd(ctx.beams))
        assert_no_locks(ctx)
        assert links(ctx, []) == links
      end

      # One link is cut: with C nodes those who were expelled for it come back by themselves.
      for other <- [:guest, :beam] do
        test "the link of a BEAM node and a #{other} is cut", ctx do
          [b, second | _] = ctx.beams
          other = if unquote(other) == :guest, do: hd(ctx.guests), else: second
          for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
          links = links(ctx, [b, other])
          Cluster.call(ctx.cluster, b, :erlang, :disconnect_node, [other])

          reconnect_control(ctx, [b, other])
          if not ctx.overlapping and other == second, do: reconnect(ctx, [b, other])
          await_members(ctx)
          for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
          assert links(ctx, [b, other]) == links
          assert_no_locks(ctx)
        end
      end
    end
  end

  # The C node goes alone, though the other end of the link reports its loss to all.
  test "a C node that loses its link to a BEAM node parts no two BEAM nodes", ctx do
    ctx = ctx |> Map.merge(%{guests: :echo, overlapping: true}) |> start_three_and_two()
    links = links(ctx, [])
    Cluster.call(ctx.cluster, hd(ctx.beams), :erlang, :disconnect_node, [hd(ctx.guests)])
    await_members(ctx)
    assert links(ctx, []) == links
  end

  # A paused member is dropped, and comes back with its names; nobody else loses anybody.
  for guests <- [:echo, :beam], paused <- [:guest, :beam] do
    test "a paused #{paused} comes back, #{guests} guests", ctx do
      fault = %{guests: unquote(guests), overlapping: true, net_ticktime: 4}
      ctx = ctx |> Map.merge(fault) |> start_three_and_two()
      paused = if unquote(paused) == :guest, do: hd(ctx.guests), else: hd(ctx.beams)
      for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
      await_members(ctx)
      links = links(ctx, [paused])
      os_pid = Cluster.os_pid(ctx.cluster, paused)
      OsProcess.signal(os_pid, :stop)
      await_nobody(without(ctx, [paused]), {:of, paused})
      OsProcess.signal(os_pid, :cont)
      reconnect_control(ctx, [paused])
      await_members(ctx)
      for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
      assert links(ctx, [paused]) == links
      assert_no_locks(ctx)
    end
  end

  # Each pair of nodes of two partitions took a name apart; after the heal all agree on one of them.
  for guests <- [:echo, :beam] do
    test "partitions with conflicts heal, #{guests} guests", ctx do
      [one, other] =
        for side <- [[beam: "a", guest: "y"], [guest: "b", beam: "z"]] do
          for {role, letter} <- side do
            kind = if role == :guest, do: unquote(guests), else: :beam
            {kind, start_named(ctx, kind, letter)}
          end
        end

      ctx = with_nodes(ctx, one ++ other)
      sides = for side <- [one, other], do: Enum.map(side, &elem(&1, 1))
      for side <- sides, do: connect(ctx, side)
      for side <- sides, do: await_members(ctx, side)
      [left, right] = sides
      names = for a <- left, b <- right, do: {:conflict, a, b}

      for {:conflict, a, b} = name <- names, node <- [a, b] do
        assert register_exit(ctx, node, name) == :yes
      end

      connect(ctx, for(side <- sides, do: Enum.find(side, &(&1 in ctx.beams))))
      await_members(ctx)

      for {:conflict, a, b} = name <- names do
        wait_until(fn ->
          [holder] = Enum.uniq(for node <- ctx.nodes, do: whereis(ctx, node, name))
          assert is_pid(holder) and node(holder) in [a, b]
        end)
      end

      assert_no_locks(ctx)
    end
  end

  # All at once, in random order.
  for seed <- 1..@seeds, cs <- [2, 0] do
    test "a join storm with #{cs} C nodes, seed #{seed}", ctx do
      :rand.seed(:exsss, {unquote(seed), unquote(cs), 0})
      kinds = Enum.shuffle(List.duplicate(:beam, 3) ++ List.duplicate(:echo, unquote(cs)))

      nodes =
        kinds
        |> Enum.map(&Task.async(fn -> {&1, start(ctx, &1)} end))
        |> Task.await_many(@settle_ms)

      ctx = with_nodes(ctx, nodes)

      ctx.nodes
      |> Enum.map(&Task.async(fn -> register(ctx, &1, {:of, &1}) end))
      |> Task.await_many(@settle_ms)
      |> Enum.each(&assert(&1 == :yes))

      await_members(ctx)
      for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
      assert_no_locks(ctx)
    end
  end

  # The cluster.

  defp start_three_and_two(ctx) do
    guests = for _ <- 1..2, do: {ctx.guests, start(ctx, ctx.guests)}
    beams = for _ <- 1..3, do: {:beam, start(ctx, :beam)}
    ctx = with_nodes(ctx, guests ++ beams)
    [guests, beams] = for list <- [guests, beams], do: Enum.map(list, &elem(&1, 1))
    ctx = Map.merge(ctx, %{guests: guests, beams: beams})
    await_members(ctx)
    ctx
  end

  defp with_nodes(ctx, nodes) do
    beams = for {:beam, node} <- nodes, do: node
    all = for {_kind, node} <- nodes, do: node
    Map.merge(ctx, %{nodes: all, beams: beams, stock: beams})
  end

  defp start(ctx, kind), do: Cluster.start_node(ctx.cluster, options(ctx, kind))

  defp start_named(ctx, kind, letter) do
    name = :"#{letter}#{System.unique_integer([:positive])}@127.0.0.1"
    options = options(ctx, kind) ++ [connect: [], name: name]
    {:ok, node} = Manager.start_node(ctx.cluster, options)
    node
  end

  # Nobody is expelled, so nobody but the two themselves has reason to.
  defp reconnect(ctx, [one, other] = pair) do
    wait_until(fn -> refute other in Cluster.call(ctx.cluster, one, Node, :list) end)
    wait_until(fn -> refute one in Cluster.call(ctx.cluster, other, Node, :list) end)
    connect(ctx, pair)
  end

  defp connect(ctx, [one, other]) do
    [beam | _] = Enum.filter([one, other], &(&1 in ctx.beams))

    for node <- [one, other] -- [beam],
        do: Cluster.call(ctx.cluster, beam, Node, :connect, [node])
  end

  defp options(ctx, kind) do
    overlapping = "#{Map.get(ctx, :overlapping, true)}"

    arguments =
      if kind == :beam,
        do: ["-kernel", "prevent_overlapping_partitions", overlapping],
        else: []

    ticktime = Map.get(ctx, :net_ticktime)
    [kind: kind, applications: [], net_ticktime: ticktime, arguments: arguments]
  end

  defp without(ctx, nodes) do
    keys = [:nodes, :beams, :guests, :stock]
    Map.merge(ctx, for(key <- keys, into: %{}, do: {key, ctx[key] -- nodes}))
  end

  # BEAM nodes alone do not dial again whom they have lost: once all have heard of it, they are told
  # to. C nodes need no telling.
  defp reconnect_control(ctx, lost) do
    if Enum.sort(ctx.stock) == Enum.sort(ctx.nodes) do
      for node <- ctx.nodes,
          do: wait_until(fn -> assert settled?(ctx, node, lost) end, @settle_ms)

      for node <- lost,
          other <- ctx.nodes -- [node],
          do: Cluster.call(ctx.cluster, node, Node, :connect, [other])
    end
  end

  # Connected to whom it knows; and those who were lost are so to somebody.
  defp settled?(ctx, node, lost) do
    connected = Cluster.call(ctx.cluster, node, Node, :list)
    all? = Enum.sort([node | connected]) == Enum.sort(ctx.nodes)
    Enum.sort(connected) == Enum.sort(known(ctx, node)) and not (node in lost and all?)
  end

  # Who is known to whom.

  defp await_members(ctx), do: await_members(ctx, ctx.nodes)

  defp await_members(ctx, nodes), do: Cluster.await_global(ctx.cluster, nodes)

  defp known(ctx, node) do
    Cluster.genserver_call(ctx.cluster, node, {:global_name_server, node}, :get_known)
  end

  # The connections between BEAM nodes; one that was lost and made again has another id.
  defp links(ctx, except) do
    for node <- ctx.beams -- except, into: %{} do
      all = Cluster.call(ctx.cluster, node, :erlang, :nodes, [:visible, %{connection_id: true}])

      {node,
       for({other, %{connection_id: id}} <- all, other in (ctx.beams -- except), do: {other, id})}
    end
  end

  # Names.

  # A process that has one name only: OTP refuses a second.
  defp register(ctx, node, name) do
    if node in ctx.stock do
      {:ok, pid} = Cluster.call(ctx.cluster, node, Agent, :start, [:erlang, :self, []])
      Cluster.call(ctx.cluster, node, :global, :register_name, [name, pid])
    else
      call(ctx, node, {:global_register, name})
    end
  end

  defp unregister(ctx, node, name) do
    if node in ctx.stock,
      do: Cluster.call(ctx.cluster, node, :global, :unregister_name, [name]),
      else: call(ctx, node, {:global_unregister, name})
  end

  # The loser of a conflict is killed, as BEAM processes are unless told not to.
  defp register_exit(ctx, node, name) do
    if node in ctx.stock do
      register(ctx, node, name)
    else
      {:ok, pid} = call(ctx, node, {:start_target})
      request = {:change, [{:register_exit, name, pid}]}
      [answer] = Cluster.genserver_call(ctx.cluster, node, {:namer, node}, request)
      answer
    end
  end

  defp call(ctx, node, request) do
    Cluster.genserver_call(ctx.cluster, node, {:conformance_echo, node}, request)
  end

  defp whereis(ctx, node, name),
    do: Cluster.call(ctx.cluster, node, :global, :whereis_name, [name])

  defp await_holder(ctx, name, holder) do
    for node <- ctx.nodes do
      wait_until(
        fn -> assert {node, name, holder} == {node, name, holder(ctx, node, name)} end,
        @settle_ms
      )
    end
  end

  # As `node` sees it.
  defp holder(ctx, node, name) do
    with pid when is_pid(pid) <- whereis(ctx, node, name), do: node(pid)
  end

  defp await_nobody(ctx, name) do
    for node <- ctx.nodes do
      wait_until(fn -> assert whereis(ctx, node, name) == :undefined end, @settle_ms)
    end
  end

  # A fresh node locks everything at once, which it could not if any lock were left.
  defp assert_no_locks(ctx) do
    fresh = start(ctx, :beam)
    ctx = Map.update!(ctx, :nodes, &[fresh | &1])
    await_members(ctx)

    for resource <- [:global, :another] do
      wait_until(fn ->
        arguments = [{resource, self()}, &:erlang.node/0, ctx.nodes, 0]
        assert Cluster.call(ctx.cluster, fresh, :global, :trans, arguments) == fresh
      end)
    end
  end
end
