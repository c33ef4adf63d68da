defmodule Minotaur.Cluster.PgTest do
  @moduledoc """
  C nodes as full members of a scope of OTP's `:pg`: BEAM and C nodes have the same lists of
  members, through joins, ends, kills, cut links and pauses. The scope is `Minotaur.PubSub`, the
  members are plain processes on BEAM nodes and sessions on C nodes.

  No word of a C node may end the scope of a BEAM node: each test ends by looking whether they are
  the same processes. `PG_SEEDS=20` runs more join storms.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.SessionHost

  @scope Minotaur.PubSub
  @settle_ms 30_000
  @seeds "PG_SEEDS" |> System.get_env("2") |> String.to_integer()
  # Nobody who is not asked ends a game, or takes one in.
  @env [minotaur: [round_seconds: 0]]

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  describe "two BEAM and two C nodes" do
    setup :start_two_and_two

    # Wherever it lives, and on whichever node one asks.
    test "a member is seen everywhere until it leaves or ends", ctx do
      members = for node <- ctx.nodes, do: start_member(ctx, node)
      for member <- members, do: :ok = join(ctx, :g, member)
      await_members(ctx, :g, members)
      [a | rest] = members
      :ok = join(ctx, :g, a)
      await_members(ctx, :g, [a | members])
      for _ <- 1..2, do: :ok = leave(ctx, :g, a)
      assert leave(ctx, :g, a) == :not_joined
      await_members(ctx, :g, rest)
      for member <- rest, do: stop_member(ctx, member)
      await_members(ctx, :g, [])
      for node <- ctx.nodes, do: assert(groups(ctx, node) == [])
      assert_no_scope_died(ctx)
    end

    # Groups are any terms, and several join with one word.
    test "groups and lists are those of OTP", ctx do
      for node <- ctx.nodes do
        members = for _ <- 1..3, do: start_member(ctx, node)
        group = {"of", [node], 1.5, -3, ~c"text"}
        :ok = join(ctx, group, members)
        await_members(ctx, group, members)
        :ok = leave(ctx, group, tl(members))
        await_members(ctx, group, [hd(members)])
        assert on(ctx, node, :get_local_members, [@scope, group]) == [hd(members)]
        assert on(ctx, node, :which_local_groups, [@scope]) == [group]
      end

      for node <- ctx.nodes, do: assert(length(groups(ctx, node)) == 4)
      assert_no_scope_died(ctx)
    end

    # Who watches a group on any node hears of members on any other.
    test "who watches a group hears of joins, leaves and lost nodes", ctx do
      member = start_member(ctx, List.last(ctx.cs))
      watches = for node <- ctx.nodes, do: {node, watch(ctx, node)}
      :ok = join(ctx, :g, member)

      for {_node, {watcher, ref}} <- watches,
          do: await_messages(ctx, watcher, [{ref, :join, :g, [member]}])

      Cluster.stop_node(ctx.cluster, node(member), graceful_shutdown: false)

      for {node, {watcher, ref}} <- watches,
          node != node(member),
          do: await_messages(ctx, watcher, [{ref, :leave, :g, [member]}])

      assert_no_scope_died(ctx)
    end

    # Several pids with one word, and all of a node that is lost, group by group.
    test "who watches is told of a change in one message", ctx do
      for home <- [List.last(ctx.beams), List.last(ctx.cs)], reduce: ctx do
        ctx ->
          [one, two] = members = for _ <- 1..2, do: start_member(ctx, home)
          others = ctx.nodes -- [home]
          watches = for node <- others, group <- [:g, :h], do: {group, watch(ctx, node, group)}
          here = {:g, watch(ctx, home, :g)}
          :ok = join(ctx, :g, [one, two, one])
          for member <- members, do: :ok = join(ctx, :h, member)
          :ok = leave(ctx, :g, [two, one])
          words = [join: [one, two, one], leave: [two, one]]
          await_words(ctx, here, words)
          Cluster.stop_node(ctx.cluster, home, graceful_shutdown: false)

          for {group, _} = watch <- watches do
            left = if group == :g, do: [one], else: Enum.sort(members)
            words = if group == :g, do: words, else: [join: [one], join: [two]]
            await_words(ctx, watch, words ++ [leave: left])
          end

          without(ctx, [home])
      end
    end

    # Those on the killed nodes are gone; a node that comes later knows the others.
    test "a killed node takes its members along", ctx do
      members = for node <- ctx.nodes, do: start_member(ctx, node)
      for member <- members, do: :ok = join(ctx, :g, member)
      await_members(ctx, :g, members)
      killed = [hd(ctx.beams), hd(ctx.cs)]
      for node <- killed, do: Cluster.stop_node(ctx.cluster, node, graceful_shutdown: false)
      left = for member <- members, node(member) not in killed, do: member
      ctx = without(ctx, killed)
      await_members(ctx, :g, left)
      fresh = for kind <- [:beam, :c], do: Cluster.start_node(ctx.cluster, kind: kind)
      await_members(%{ctx | nodes: ctx.nodes ++ fresh}, :g, left)
      assert_no_scope_died(ctx)
    end

    # Both sides go on, then agree again: link by link.
    test "a cut link heals", ctx do
      [c | _] = ctx.cs
      members = for node <- ctx.nodes, do: start_member(ctx, node)
      for member <- members, do: :ok = join(ctx, :g, member)
      await_members(ctx, :g, members)

      for beam <- ctx.beams do
        Cluster.call(ctx.cluster, beam, :erlang, :disconnect_node, [c])
        here = start_member(ctx, beam)
        there = start_member(ctx, c)
        :ok = join(ctx, {:of, beam}, here)
        :ok = join(ctx, {:of, beam}, there)
        await_members(ctx, {:of, beam}, [here, there])
      end

      await_members(ctx, :g, members)
      assert_no_scope_died(ctx)
    end

    # What makes no sense is dropped with a few lines, however much of it there is.
    test "a C node's scope survives what makes no sense", ctx do
      [c | _] = ctx.cs
      member = start_member(ctx, c)
      :ok = join(ctx, :g, member)
      probe = Probe.start(ctx.cluster, hd(ctx.beams))
      peer = probe

      nonsense = [
        :x,
        {:discover, :x},
        {:discover, member},
        {:join, peer, :g, [peer | :x]},
        {:join, peer, :g, member},
        {:leave, peer, [peer], [:g | :h]},
        {:leave, peer, peer, :g},
        {:"$gen_cast", {:sync, peer, [{:g, [peer]} | :x]}},
        {:"$gen_cast", {:sync, peer, [{:g, [peer, 1]}]}},
        {:"$gen_cast", {:sync, member, []}}
      ]

      for _ <- 1..20, message <- nonsense do
        {:ok, _} = Probe.run(ctx.cluster, probe, Kernel, :send, [{@scope, c}, message])
      end

      await_members(ctx, :g, [member])
      wait_until(fn -> assert Cluster.logs(ctx.cluster, c) =~ "makes no sense" end)
      assert length(Regex.scan(~r/warning pg: /, Cluster.logs(ctx.cluster, c))) <= 10
      assert_no_scope_died(ctx)
    end
  end

  # A scope that a program in C has started, and one that came up long after the nodes had met.
  test "a server on the public API is a member as any other", ctx do
    asker = Cluster.start_node(ctx.cluster, kind: :asker)
    beam = Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
    ask = fn request -> Cluster.genserver_call(ctx.cluster, beam, {:asker, asker}, request) end
    members = fn -> Cluster.call(ctx.cluster, beam, :pg, :get_members, [:asker_groups, :g]) end
    assert {:ok, [member]} = ask.({:join, :g})
    assert node(member) == asker
    {:ok, _scope} = Cluster.call(ctx.cluster, beam, :pg, :start, [:asker_groups])
    wait_until(fn -> assert members.() == [member] end)

    {:ok, agent} = Cluster.call(ctx.cluster, beam, Agent, :start, [:erlang, :self, []])
    :ok = Cluster.call(ctx.cluster, beam, :pg, :join, [:asker_groups, :g, agent])
    wait_until(fn -> assert ask.({:members, :g}) == {:ok, [member, agent]} end)
    assert ask.({:leave, :g}) == {:ok, [agent]}
    wait_until(fn -> assert members.() == [agent] end)
    true = Cluster.call(ctx.cluster, beam, Process, :exit, [agent, :kill])
    wait_until(fn -> assert ask.({:members, :g}) == {:ok, []} end)
  end

  # A node that stands still is dropped after the net ticks, and comes back with its members.
  for kind <- [:c, :beam] do
    test "a paused #{kind} node is missed, and found again", ctx do
      ctx = ctx |> Map.put(:net_ticktime, 4) |> start_two_and_two()
      paused = if unquote(kind) == :c, do: hd(ctx.cs), else: hd(ctx.beams)
      members = for node <- ctx.nodes, do: start_member(ctx, node)
      for member <- members, do: :ok = join(ctx, :g, member)
      await_members(ctx, :g, members)
      resume = Cluster.pause(ctx.cluster, paused)
      others = without(ctx, [paused])
      left = for member <- members, node(member) != paused, do: member
      await_members(others, :g, left)
      later = start_member(ctx, hd(others.nodes))
      :ok = join(ctx, :g, later)
      resume.()
      await_members(ctx, :g, [later | members])
    end
  end

  # All at once: nodes start, connect, and their processes join, leave and end, in random order.
  for seed <- 1..@seeds do
    test "a join storm ends in equal lists, seed #{seed}", ctx do
      :rand.seed(:exsss, {unquote(seed), 0, 0})

      kept =
        [:beam, :c, :beam, :c]
        |> Enum.shuffle()
        |> Enum.map(&{&1, :rand.uniform(1_000)})
        |> Enum.map(fn {kind, seed} -> Task.async(fn -> storm(ctx, kind, seed) end) end)
        |> Task.await_many(@settle_ms)

      nodes = for {node, _joined} <- kept, do: node
      ctx = Map.merge(ctx, %{nodes: nodes})

      for group <- 1..4 do
        expected = for {_node, joined} <- kept, {^group, member} <- joined, do: member
        await_members(ctx, group, expected)
      end
    end
  end

  # A node's part in a storm: what its processes are in at the end.
  defp storm(ctx, kind, seed) do
    :rand.seed(:exsss, {seed, 0, 0})
    node = Cluster.start_node(ctx.cluster, kind: kind, environment: @env)
    members = for _ <- 1..6, do: start_member(ctx, node)

    joined =
      Enum.reduce(1..40, [], fn _, joined ->
        case {:rand.uniform(3), joined} do
          {1, [_ | _]} ->
            {group, member} = entry = Enum.random(joined)
            :ok = leave(ctx, group, member)
            List.delete(joined, entry)

          _join ->
            entry = {:rand.uniform(4), Enum.random(members)}
            :ok = join(ctx, elem(entry, 0), elem(entry, 1))
            [entry | joined]
        end
      end)

    ended = hd(members)
    stop_member(ctx, ended)
    {node, Enum.reject(joined, fn {_group, member} -> member == ended end)}
  end

  # The cluster.

  defp start_two_and_two(ctx) do
    start = fn kind ->
      options = [kind: kind, environment: @env, net_ticktime: Map.get(ctx, :net_ticktime)]
      Cluster.start_node(ctx.cluster, options)
    end

    beams = for _ <- 1..2, do: start.(:beam)
    cs = for _ <- 1..2, do: start.(:c)
    ctx = Map.merge(ctx, %{beams: beams, cs: cs, nodes: beams ++ cs})
    Map.put(ctx, :scopes, scopes(ctx))
  end

  defp without(ctx, nodes) do
    Map.merge(ctx, %{nodes: ctx.nodes -- nodes, beams: ctx.beams -- nodes, cs: ctx.cs -- nodes})
  end

  defp scopes(ctx) do
    for beam <- ctx.beams, into: %{} do
      {beam, Cluster.call(ctx.cluster, beam, Process, :whereis, [@scope])}
    end
  end

  defp assert_no_scope_died(ctx), do: assert(scopes(ctx) == Map.take(ctx.scopes, ctx.beams))

  # Members: plain processes on a BEAM node, sessions on a C node.

  defp start_member(ctx, node) do
    {:ok, pid} =
      if beam?(ctx, node) do
        Cluster.call(ctx.cluster, node, Agent, :start, [:erlang, :self, []])
      else
        request = {:start_session, nil, game_fixture()}
        Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, request)
      end

    pid
  end

  defp beam?(ctx, node) do
    {:ok, %{kind: kind}} = Minotaur.Cluster.Manager.fetch(ctx.cluster, node)
    kind == :beam
  end

  defp stop_member(ctx, member) do
    true = Cluster.call(ctx.cluster, node(member), Process, :exit, [member, :kill])
  end

  # Who asks a C node is on a BEAM node, and asks as `:pg.monitor/2` asks up to OTP 28.
  defp watch(ctx, node, group \\ :g) do
    {where, call} =
      if beam?(ctx, node),
        do: {node, [:pg, :monitor, [@scope, group]]},
        else: {hd(ctx.beams), [GenServer, :call, [{@scope, node}, {:monitor, group}]]}

    watcher = Probe.start(ctx.cluster, where)
    {:ok, {ref, []}} = apply(Probe, :run, [ctx.cluster, watcher | call])
    {watcher, ref}
  end

  # All that was told, and no more; OTP's order of who was lost is no order.
  defp await_words(ctx, {group, {watcher, ref}}, words) do
    wait_until(
      fn ->
        messages = Probe.messages(ctx.cluster, watcher)
        heard = for {^ref, verb, ^group, pids} <- messages, do: {verb, pids}
        assert sort_last(heard) == sort_last(words)
      end,
      @settle_ms
    )
  end

  defp sort_last(words),
    do: List.update_at(words, -1, fn {verb, pids} -> {verb, Enum.sort(pids)} end)

  # On the node of the processes. A C node is asked as `:pg.join/3` asks up to OTP 28.
  defp join(ctx, group, members), do: change(ctx, :join, {:join_local, group, members})
  defp leave(ctx, group, members), do: change(ctx, :leave, {:leave_local, group, members})

  defp change(ctx, function, {_request, group, members} = request) do
    node = members |> List.wrap() |> hd() |> node()

    if beam?(ctx, node),
      do: on(ctx, node, function, [@scope, group, members]),
      else: Cluster.genserver_call(ctx.cluster, node, {@scope, node}, request)
  end

  defp on(ctx, node, function, arguments) do
    Cluster.call(ctx.cluster, node, :pg, function, arguments)
  end

  defp groups(ctx, node), do: on(ctx, node, :which_groups, [@scope])

  defp await_members(ctx, group, members) do
    expected = Enum.sort(members)

    for node <- ctx.nodes do
      wait_until(
        fn ->
          assert {node, Enum.sort(on(ctx, node, :get_members, [@scope, group]))} ==
                   {node, expected}
        end,
        @settle_ms
      )
    end
  end

  defp await_messages(ctx, probe, messages) do
    wait_until(fn -> assert messages -- Probe.messages(ctx.cluster, probe) == [] end, @settle_ms)
  end
end
