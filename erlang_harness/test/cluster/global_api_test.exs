defmodule Minotaur.Cluster.GlobalApiTest do
  @moduledoc """
  Names and locks of `:global` that C processes ask for by the public API, as BEAM processes see
  them: `tests/nodes/namer.c` is told what to do.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 300_000

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster

  @count 500
  @settle_ms 60_000
  # Some seconds; half of what a drain may take.
  @drain_ms 15_000

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  describe "with two BEAM and two C nodes:" do
    setup :start_two_and_two

    # Each pid is of the node that the pairing says, so is who asks; nobody ever sees no holder.
    test "a name moves between nodes of both kinds, and is never missing", ctx do
      for from <- ctx.nodes, to <- ctx.nodes, from != to do
        {name, old, new} = {{from, to}, start_process(ctx, from), start_process(ctx, to)}
        assert name(ctx, hd(ctx.cs), {:change, [{:re_register, name, old}]}) == [:yes]
        watchers = for node <- ctx.nodes, do: Task.async(fn -> watch(ctx, node, name, new) end)
        assert name(ctx, List.last(ctx.cs), {:re_register, name, new}) == :yes
        assert Task.await_many(watchers, @settle_ms) == Enum.map(ctx.nodes, fn _ -> :arrived end)
      end
    end

    # A batch is one request for the server, and as many names for everybody.
    test "many names are registered, moved and given up in a batch", ctx do
      [c, d] = ctx.cs
      names = for index <- 1..@count, do: {:batch, index}
      here = for _ <- names, do: start_process(ctx, c)
      there = for _ <- names, do: start_process(ctx, hd(ctx.beams))

      assert batch(ctx, c, :register, names, here) == List.duplicate(:yes, @count)
      assert batch(ctx, d, :register, names, there) == List.duplicate(:no, @count)
      assert batch(ctx, c, :re_register, names, there) == List.duplicate(:yes, @count)

      for node <- ctx.nodes, {name, pid} <- Enum.take_random(Enum.zip(names, there), 20) do
        wait_until(fn -> assert whereis(ctx, node, name) == pid end)
      end

      assert batch(ctx, c, :re_register, names, here) == List.duplicate(:yes, @count)
      assert batch(ctx, c, :unregister, names, here) == List.duplicate(:ok, @count)

      for node <- ctx.nodes, name <- Enum.take_random(names, 20) do
        wait_until(fn -> assert whereis(ctx, node, name) == :undefined end)
      end

      assert_free(ctx, :global)
    end

    # Both ways: who has a lock keeps the other kind out, until it is given back or he dies.
    test "locks exclude each other on nodes of both kinds", ctx do
      [c, d] = ctx.cs
      assert name(ctx, c, {:set_lock, {:res, :c}, 0}) == true
      assert name(ctx, d, {:set_lock, {:res, :d}, 0}) == false
      assert trans(ctx, :res) == :aborted
      assert name(ctx, c, {:del_lock, {:res, :c}}) == true
      assert_free(ctx, :res)

      {:ok, holder} = beam(ctx, Agent, :start, [Function, :identity, [{:res, :beam}]])
      lock = &beam(ctx, Agent, :get, [holder, :global, &1, &2])
      assert lock.(:set_lock, [ctx.nodes, 0])
      assert name(ctx, c, {:trans, {:res, :c}, 0}) == :aborted
      later = Task.async(fn -> name(ctx, c, {:trans, {:res, :c}, 100}) end)
      assert lock.(:del_lock, [ctx.nodes])
      assert Task.await(later, @settle_ms) == :locked
      assert_free(ctx, :res)

      assert name(ctx, c, {:set_lock, {:res, :c}, 0}) == true
      Cluster.stop_node(ctx.cluster, c, graceful_shutdown: false)
      wait_until(fn -> assert name(ctx, d, {:trans, {:res, :d}, 0}) == :locked end)
    end

    # From C, to a process of either kind, by a name that a BEAM or a C process took.
    test "a C process calls who has a name", ctx do
      for node <- ctx.nodes do
        pid = start_process(ctx, node)
        assert name(ctx, hd(ctx.cs), {:re_register, {:called, node}, pid}) == :yes
        {request, answer} = question(ctx, node, pid)

        for c <- ctx.cs do
          wait_until(fn -> assert whereis(ctx, c, {:called, node}) == pid end)
          assert name(ctx, c, {:call, {:called, node}, request}) == {:ok, answer}
        end
      end

      assert name(ctx, hd(ctx.cs), {:call, :nobody, :x}) == {:exit, :noproc}
    end
  end

  describe "asked of either kind of node:" do
    setup :start_two_and_two

    # Who waits for nodes is answered when they are in sync, or cannot be reached.
    test "to wait until nodes are in sync", ctx do
      for node <- ctx.nodes, other <- ctx.nodes -- [node] do
        assert Cluster.call(ctx.cluster, node, :global, :sync, [[other]]) == :ok
      end

      for node <- ctx.nodes do
        assert Cluster.call(ctx.cluster, node, :global, :sync, []) == :ok
        assert Cluster.call(ctx.cluster, node, :global, :sync, [[:"nobody@127.0.0.1"]]) == :ok
        synced = Cluster.genserver_call(ctx.cluster, node, gns(node), :get_synced)
        assert Enum.sort(synced) == Enum.sort(ctx.nodes -- [node])
      end
    end

    # A C node waits for so many, and no more.
    test "to wait for more nodes than there can be", ctx do
      nodes = for index <- 1..1_025, do: :"nobody#{index}@127.0.0.1"
      c = hd(ctx.cs)

      assert Cluster.genserver_call(ctx.cluster, c, gns(c), {:sync, nodes}) ==
               {:error, :system_limit}

      assert Cluster.call(ctx.cluster, c, :global, :sync, [[hd(ctx.beams)]]) == :ok
    end

    # All names, and those that were registered for somebody who is no member.
    test "which names there are", ctx do
      [a, b] = ctx.beams
      pid = start_process(ctx, a)
      register = [:external, pid]
      assert Cluster.call(ctx.cluster, a, :global, :register_name_external, register) == :yes
      own = start_process(ctx, hd(ctx.cs))
      assert name(ctx, hd(ctx.cs), {:re_register, :own, own}) == :yes

      for node <- [b | ctx.cs] do
        wait_until(fn ->
          names = Cluster.call(ctx.cluster, node, :global, :registered_names, [])
          assert Enum.sort(names) == [:external, :own]
        end)

        listed = Cluster.genserver_call(ctx.cluster, node, gns(node), :get_names_ext)
        assert listed == [{:external, pid, a}]
      end
    end

    # It goes alone: the others keep their connections, and it comes back when somebody calls it.
    for kind <- [:c, :beam] do
      test "to leave, a #{kind} node", ctx do
        leaver = if unquote(kind) == :c, do: hd(ctx.cs), else: hd(ctx.beams)
        others = ctx.nodes -- [leaver]
        [beam | _] = staying = ctx.beams -- [leaver]
        links = for node <- staying, do: links(ctx, node, [leaver])
        left = Cluster.call(ctx.cluster, leaver, :global, :disconnect, [])
        assert Enum.sort(left) == Enum.sort(others)

        if unquote(kind) == :c do
          for node <- staying, do: wait_until(fn -> refute leaver in known(ctx, node) end)
          assert Cluster.call(ctx.cluster, beam, Node, :connect, [leaver])
        end

        Cluster.await_global(ctx.cluster, ctx.nodes)
        assert links == for(node <- staying, do: links(ctx, node, [leaver]))
        assert_free(ctx, :global)
      end
    end
  end

  # BEAM nodes do not call who has left; it calls whom `--connect` names, who names the others.
  test "to leave, a C node that is told whom to call", ctx do
    beams = for _ <- 1..2, do: Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
    options = [kind: :echo, applications: [], connect: Enum.take(beams, 1)]
    leaver = Cluster.start_node(ctx.cluster, options)
    nodes = [leaver | beams]
    Cluster.await_global(ctx.cluster, nodes)
    before = for beam <- beams, do: link(ctx, beam, leaver)

    assert Enum.sort(Cluster.call(ctx.cluster, leaver, :global, :disconnect, [])) ==
             Enum.sort(beams)

    for {beam, id} <- Enum.zip(beams, before),
        do: wait_until(fn -> refute link(ctx, beam, leaver) in [nil, id] end)

    Cluster.await_global(ctx.cluster, nodes)
    assert_free(Map.merge(ctx, %{beams: beams, nodes: nodes}), :global)
  end

  # OTP ends a node without it; the others go on, and so do their names.
  test "a BEAM node whose global_name_server is killed holds nobody up", ctx do
    ctx = start_two_and_two(ctx)
    [a, b] = ctx.beams
    c = hd(ctx.cs)
    server = Cluster.call(ctx.cluster, b, Process, :whereis, [:global_name_server])
    Cluster.call(ctx.cluster, a, Process, :exit, [server, :kill])

    pid = start_process(ctx, c)
    assert name(ctx, c, {:change, [{:register, :after, pid}]}) == [:yes]
    for node <- [a | ctx.cs], do: wait_until(fn -> assert whereis(ctx, node, :after) == pid end)
    assert_free(Map.put(ctx, :nodes, [a | ctx.cs]), :global)
  end

  # So does a C node, but it leaves as asked: what it hosts moves.
  test "a C node whose global_name_server is killed leaves, its sessions moved", ctx do
    env = [minotaur: [round_seconds: 0]]
    c = Cluster.start_node(ctx.cluster, kind: :c, environment: env)
    b = Cluster.start_node(ctx.cluster, kind: :beam, environment: env)
    Cluster.await_global(ctx.cluster, [b, c])
    game = Minotaur.GameEngineFixtures.game_fixture(round_end_time: nil)
    {:ok, _pid} = Cluster.call(ctx.cluster, c, Minotaur.GameEngine, :continue_game, [nil, game])
    wait_until(fn -> assert session_on(ctx, b, game.id) in [b, c] end)

    server = Cluster.call(ctx.cluster, c, :erlang, :whereis, [:global_name_server])
    killed_ms = System.monotonic_time(:millisecond)
    Cluster.call(ctx.cluster, b, Process, :exit, [server, :kill])
    assert Cluster.await_stop(ctx.cluster, c) == 0
    assert System.monotonic_time(:millisecond) - killed_ms < @drain_ms
    wait_until(fn -> assert session_on(ctx, b, game.id) == b end)
    assert Cluster.call(ctx.cluster, b, Minotaur.GameEngine, :get_game, [game.id]) == {:ok, game}
  end

  # The default of C, and asked for by the BEAM: both are told of each other, both live.
  for {first, second} <- [{:beam, :echo}, {:echo, :beam}, {:echo, :echo}] do
    test "a name that a #{first} and a #{second} took apart is told to both", ctx do
      [{_, a, first}, {_, z, second}] =
        sides =
        for {kind, letter} <- [{unquote(first), "a"}, {unquote(second), "z"}] do
          node = start_apart(ctx, kind, letter)
          {kind, node, take(ctx, kind, node, :name)}
        end

      bridge = Cluster.start_node(ctx.cluster, kind: :beam, applications: [], connect: [])
      for node <- [a, z], do: Cluster.call(ctx.cluster, bridge, Node, :connect, [node])

      for {{kind, node, pid}, other} <- Enum.zip(sides, [second, first]) do
        wait_until(
          fn -> assert told(ctx, kind, node, pid) == [{:global_name_conflict, :name, other}] end,
          @settle_ms
        )
      end

      for node <- [a, z, bridge] do
        wait_until(fn -> assert whereis(ctx, node, :name) == :undefined end, @settle_ms)
      end
    end
  end

  defp session_on(ctx, node, id) do
    case Cluster.call(ctx.cluster, node, Minotaur.GameEngine, :whereis, [id]) do
      pid when is_pid(pid) -> node(pid)
      nil -> nil
    end
  end

  # The cluster.

  defp start_two_and_two(ctx) do
    cs = for _ <- 1..2, do: Cluster.start_node(ctx.cluster, kind: :echo, applications: [])
    beams = for _ <- 1..2, do: Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
    Cluster.await_global(ctx.cluster, cs ++ beams)
    Map.merge(ctx, %{cs: cs, beams: beams, nodes: cs ++ beams})
  end

  defp known(ctx, node), do: Cluster.genserver_call(ctx.cluster, node, gns(node), :get_known)
  defp gns(node), do: {:global_name_server, node}

  # A connection that was lost and made again has another id.
  defp links(ctx, node, except) do
    nodes = Cluster.call(ctx.cluster, node, :erlang, :nodes, [:visible, %{connection_id: true}])
    for {other, %{connection_id: id}} <- nodes, other in (ctx.beams -- except), do: {other, id}
  end

  defp link(ctx, node, other) do
    nodes = Cluster.call(ctx.cluster, node, :erlang, :nodes, [:visible, %{connection_id: true}])
    with {_, %{connection_id: id}} <- List.keyfind(nodes, other, 0), do: id
  end

  defp start_apart(ctx, kind, letter) do
    name = :"#{letter}#{System.unique_integer([:positive])}@127.0.0.1"
    options = [kind: kind, applications: [], connect: [], name: name]
    {:ok, node} = Manager.start_node(ctx.cluster, options)
    node
  end

  # What is asked.

  defp name(ctx, node, request),
    do: Cluster.genserver_call(ctx.cluster, node, {:namer, node}, request)

  defp batch(ctx, node, verb, names, pids) do
    name(ctx, node, {:change, for({name, pid} <- Enum.zip(names, pids), do: {verb, name, pid})})
  end

  defp beam(ctx, module, function, arguments),
    do: Cluster.call(ctx.cluster, hd(ctx.beams), module, function, arguments)

  defp trans(ctx, resource) do
    beam(ctx, :global, :trans, [{resource, self()}, &:erlang.node/0, ctx.nodes, 0])
  end

  defp assert_free(ctx, resource) do
    wait_until(fn -> assert trans(ctx, resource) == hd(ctx.beams) end)
  end

  defp whereis(ctx, node, name),
    do: Cluster.call(ctx.cluster, node, :global, :whereis_name, [name])

  defp watch(ctx, node, name, new) do
    case whereis(ctx, node, name) do
      ^new -> :arrived
      pid when is_pid(pid) -> watch(ctx, node, name, new)
      :undefined -> :missing
    end
  end

  defp start_process(ctx, node) do
    if node in ctx.cs do
      {:ok, pid} =
        Cluster.genserver_call(ctx.cluster, node, {:conformance_echo, node}, {:start_target})

      pid
    else
      {:ok, pid} = Cluster.call(ctx.cluster, node, Agent, :start, [:erlang, :self, []])
      pid
    end
  end

  # An echo echoes; an Agent gives its state, itself.
  defp question(ctx, node, pid) do
    if node in ctx.cs,
      do: {:hello, {:echo, :hello}},
      else: {{:get, {Function, :identity, []}}, pid}
  end

  # A process with the name :name, which keeps what it is told.
  defp take(ctx, :echo, node, name) do
    pid = Cluster.call(ctx.cluster, node, :erlang, :whereis, [:namer])
    assert name(ctx, node, {:change, [{:register, name, pid}]}) == [:yes]
    pid
  end

  defp take(ctx, :beam, node, name) do
    pid = Cluster.call(ctx.cluster, node, Node, :spawn, [node, :timer, :sleep, [:infinity]])
    method = &:global.notify_all_name/3
    assert Cluster.call(ctx.cluster, node, :global, :register_name, [name, pid, method]) == :yes
    pid
  end

  defp told(ctx, :echo, node, _pid),
    do: for({:info, message} <- name(ctx, node, :inbox), do: message)

  defp told(ctx, :beam, node, pid) do
    {:messages, messages} = Cluster.call(ctx.cluster, node, Process, :info, [pid, :messages])
    messages
  end
end
