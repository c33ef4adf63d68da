defmodule Minotaur.Cluster.GlobalTest do
  @moduledoc """
  C nodes as full members of `:global`: names are one table on BEAM and C nodes alike, through
  joins, kills, pauses, cut links and partitions; and no lock is left behind.

  What holds with C nodes must hold without: the control runs have BEAM nodes only.
  `GLOBAL_SEEDS=20` runs more join storms.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 300_000

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster

  @settle_ms 60_000
  @seeds "GLOBAL_SEEDS" |> System.get_env("2") |> String.to_integer()

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  for overlapping <- [true, false] do
    describe "prevent_overlapping_partitions #{overlapping}:" do
      @describetag overlapping: overlapping
      setup :start_three_and_two

      # What is registered anywhere is found everywhere, by its owner's kind and all others.
      test "names are everywhere", ctx do
        for node <- ctx.beams, do: assert(register(ctx, node, {:of, node}) == :yes)
        for node <- ctx.cs, do: assert(register(ctx, node, {:of, node}) == :yes)
        for node <- ctx.nodes, do: assert(register(ctx, node, {:of, hd(ctx.nodes)}) == :no)
        for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
        [first | _] = ctx.cs
        assert call(ctx, first, {:global_unregister, {:of, first}}) == :ok
        await_nobody(ctx, {:of, first})
        assert_no_locks(ctx)
      end

      # A killed member is gone with its names, and holds nobody up.
      test "a killed member takes its names along", ctx do
        for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
        killed = [hd(ctx.cs), hd(ctx.beams)]
        for node <- killed, do: Cluster.stop_node(ctx.cluster, node, graceful_shutdown: false)
        ctx = without(ctx, killed)
        for node <- killed, do: await_nobody(ctx, {:of, node})
        for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
        assert register(ctx, hd(ctx.beams), :later) == :yes
        await_holder(ctx, :later, hd(ctx.beams))
        assert_no_locks(ctx)
      end

      # One link is cut: the C node goes, alone, and comes back.
      test "a cut link parts no two BEAM nodes", ctx do
        [c | _] = ctx.cs
        [b | _] = ctx.beams
        for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
        await_members(ctx)
        links = beam_links(ctx)
        Cluster.call(ctx.cluster, b, :erlang, :disconnect_node, [c])

        await_members(ctx)
        for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
        assert beam_links(ctx) == links
        assert_no_locks(ctx)
      end
    end
  end

  # A paused member is dropped, and comes back with its names.
  for kind <- [:c, :beam] do
    test "a paused #{kind} member comes back", ctx do
      ctx = ctx |> Map.merge(%{overlapping: true, net_ticktime: 4}) |> start_three_and_two()
      paused = if unquote(kind) == :c, do: hd(ctx.cs), else: hd(ctx.beams)
      for node <- ctx.nodes, do: assert(register(ctx, node, {:of, node}) == :yes)
      await_members(ctx)
      others = without(ctx, [paused])
      resume = Cluster.pause(ctx.cluster, paused)
      await_nobody(others, {:of, paused})
      resume.()
      await_members(ctx)
      for node <- ctx.nodes, do: await_holder(ctx, {:of, node}, node)
      assert_no_locks(ctx)
    end
  end

  # Both sides took one name while they were apart: after the heal all agree on one of the two.
  for {first, second} <- [{:beam, :echo}, {:echo, :beam}, {:echo, :echo}, {:beam, :beam}] do
    test "a name of a #{first} and a #{second} has one holder after the heal", ctx do
      ctx = Map.merge(ctx, %{beams: []})

      sides =
        for {kind, first_letter} <- [{unquote(first), "a"}, {unquote(second), "z"}] do
          {:ok, node} =
            Manager.start_node(ctx.cluster,
              kind: kind,
              applications: [],
              connect: [],
              name: :"#{first_letter}#{System.unique_integer([:positive])}@127.0.0.1"
            )

          assert register_exit(ctx, kind, node, :name) == :yes
          {kind, node}
        end

      [a, b] = Enum.map(sides, &elem(&1, 1))
      bridge = start(ctx, :beam, connect: [])
      for node <- [a, b], do: Cluster.call(ctx.cluster, bridge, Node, :connect, [node])
      beams = [bridge | for({:beam, node} <- sides, do: node)]
      ctx = Map.merge(ctx, %{nodes: [a, b, bridge], beams: beams})
      await_members(ctx)

      wait_until(fn ->
        [holder] = Enum.uniq(for node <- ctx.nodes, do: whereis(ctx, node, :name))
        assert is_pid(holder) and node(holder) in [a, b]
      end)

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
        |> Enum.map(&Task.async(fn -> {&1, start(ctx, &1, [])} end))
        |> Task.await_many(@settle_ms)

      beams = for {:beam, node} <- nodes, do: node
      ctx = Map.merge(ctx, %{nodes: Enum.map(nodes, &elem(&1, 1)), beams: beams})

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
    cs = for _ <- 1..2, do: start(ctx, :echo, [])
    beams = for _ <- 1..3, do: start(ctx, :beam, [])
    ctx = Map.merge(ctx, %{cs: cs, beams: beams, nodes: cs ++ beams})
    await_members(ctx)
    ctx
  end

  defp start(ctx, kind, options) do
    overlapping = "#{Map.get(ctx, :overlapping, true)}"

    options =
      Keyword.merge(options,
        kind: kind,
        applications: [],
        net_ticktime: Map.get(ctx, :net_ticktime)
      )

    arguments =
      if kind == :beam,
        do: ["-kernel", "prevent_overlapping_partitions", overlapping],
        else: []

    Cluster.start_node(ctx.cluster, Keyword.put(options, :arguments, arguments))
  end

  defp without(ctx, nodes) do
    Map.merge(ctx, %{nodes: ctx.nodes -- nodes, beams: ctx.beams -- nodes, cs: ctx.cs -- nodes})
  end

  # Who is known to whom.

  defp await_members(ctx) do
    Cluster.await_global(ctx.cluster, ctx.nodes)
  end

  defp beam_links(ctx) do
    for node <- ctx.beams, other <- ctx.beams, node != other, into: %{} do
      {{node, other}, other in Cluster.call(ctx.cluster, node, Node, :list)}
    end
  end

  # Names.

  # A process that has one name only: OTP refuses a second.
  defp register(ctx, node, name) do
    if node in ctx.beams do
      {:ok, pid} = Cluster.call(ctx.cluster, node, Agent, :start, [:erlang, :self, []])
      Cluster.call(ctx.cluster, node, :global, :register_name, [name, pid])
    else
      call(ctx, node, {:global_register, name})
    end
  end

  # The loser of a conflict is killed, as BEAM processes are unless told not to.
  defp register_exit(ctx, :beam, node, name), do: register(%{ctx | beams: [node]}, node, name)

  defp register_exit(ctx, :echo, node, name) do
    {:ok, pid} = call(ctx, node, {:start_target})
    request = {:change, [{:register_exit, name, pid}]}
    [answer] = Cluster.genserver_call(ctx.cluster, node, {:namer, node}, request)
    answer
  end

  defp call(ctx, node, request) do
    Cluster.genserver_call(ctx.cluster, node, {:conformance_echo, node}, request)
  end

  defp whereis(ctx, node, name),
    do: Cluster.call(ctx.cluster, node, :global, :whereis_name, [name])

  defp await_holder(ctx, name, holder) do
    for node <- ctx.nodes do
      wait_until(fn -> assert node(whereis(ctx, node, name)) == holder end, @settle_ms)
    end
  end

  defp await_nobody(ctx, name) do
    for node <- ctx.nodes do
      wait_until(fn -> assert whereis(ctx, node, name) == :undefined end, @settle_ms)
    end
  end

  # A fresh node locks everything at once, which it could not if any lock were left.
  defp assert_no_locks(ctx) do
    fresh = start(ctx, :beam, [])
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
