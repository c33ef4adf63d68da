defmodule Minotaur.Bench.Global do
  @moduledoc """
  Names in `:global`, registered and moved by a C node, against `:global.register_name/2` and
  `re_register_name/2` on a BEAM node of the same cluster in the same run.

  Every name belongs to a process of its own, as a session's does. The C side is the server `namer`
  of `cnode-echo` (`tests/nodes/namer.c`).
  """

  alias Minotaur.Bench.{Floor, Os, Report}
  alias Minotaur.Cluster.{LockLoad, Manager}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, GameEngineFixtures}

  @singles 300
  @batch 1_000
  @moved 10_000
  @sample 500
  @burst 1_000
  @rounds 5
  @sessions 20
  @callers 64
  @locks 500
  @beam_arguments ~w(+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none)
  @settle_ms 30_000

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    load = Os.load()
    rounds = if options[:quick], do: 1, else: @rounds
    moved = if options[:quick], do: 2_000, else: @moved
    rates = for nodes <- [2, 3], do: rates(nodes, rounds)
    moves = for pair <- [[:echo, :beam], [:echo, :echo], [:beam, :echo]], do: moves(pair, moved)
    alone = alone(moved)
    locks = for kind <- [:beam, :c], do: locks(kind)

    Report.head(load, conditions(rounds)) ++
      goals(rates, moves, locks) ++
      rate_table(rates) ++ move_table(moves, alone) ++ lock_table(locks)
  end

  # -- rates

  # BEAM nodes and one C node.
  defp rates(nodes, rounds) do
    Report.say("#{nodes} nodes: #{@singles} names one by one, then #{@batch} at once")

    with_cluster(List.duplicate(:beam, nodes - 1) ++ [:echo], fn cluster, all ->
      {[beam | _] = beams, [c]} = Enum.split(all, -1)
      pids = call(cluster, beam, :targets, [c, @batch])

      samples =
        for _ <- 1..rounds do
          %{
            beam: call(cluster, beam, :register_each, [@singles]),
            single: call(cluster, beam, :named, [c, :each, Enum.take(pids, @singles)]),
            batch: call(cluster, beam, :named, [c, :change, pids]),
            floor: rate(@batch, slowest(cluster, beams, :floor_once_us, pids))
          }
        end

      %{nodes: nodes, samples: samples}
    end)
  end

  @doc "On a BEAM node: names for its own processes, one after the other. Gives names per second."
  def register_each(count) do
    names = for index <- 1..count, do: {{:beam, index}, spawn(:timer, :sleep, [:infinity])}

    us = time(fn -> for {name, pid} <- names, do: :yes = :global.register_name(name, pid) end)

    for {name, pid} <- names do
      :global.unregister_name(name)
      Process.exit(pid, :kill)
    end

    rate(count, us)
  end

  @doc "The same on node `c`, by one request: `each` or `change`."
  def named(c, how, pids) do
    count = length(pids)
    changes = changes(:register, pids)
    us = time(fn -> ask(c, {how, changes}) end)
    wait_until(fn -> Enum.count(:global.registered_names(), &match?({:name, _}, &1)) == count end)
    ask(c, {:change, changes(:unregister, pids)})
    rate(count, us)
  end

  # -- the floor: what the slowest BEAM member alone spends on names, whoever has them registered

  defp slowest(cluster, beams, function, pids),
    do: Floor.slowest(beams, &call(cluster, &1, function, [pids]))

  @doc "The same, after which nobody has the names."
  def floor_once_us(pids) do
    us = floor_us(pids)
    Floor.change_us(for {_, index} <- Enum.with_index(pids), do: {:delete, {:name, index}})
    us
  end

  @doc "On a BEAM node: its own server gives all names to these. Gives microseconds."
  def floor_us(pids) do
    method = &:global.random_exit_name/3

    Floor.change_us(
      for {pid, index} <- Enum.with_index(pids), do: {:insert, {{:name, index}, pid, method}}
    )
  end

  # -- moves

  # From the first to the second, with a BEAM node that looks on.
  defp moves([from, to] = pair, count) do
    Report.say("#{count} names from #{kind(from)} to #{kind(to)}")

    with_cluster(pair ++ [:beam], fn cluster, [source, target, observer] = nodes ->
      old = call(cluster, observer, :processes, [from, source, count])
      new = call(cluster, observer, :processes, [to, target, count])
      teller = if from == :echo, do: source, else: target
      {registered, _} = tell(cluster, observer, teller, old, :re_register)
      watch = call(cluster, observer, :start_watch, [count])
      {ms, :ok} = move(cluster, observer, from, source, new)
      seen = call(cluster, observer, :end_watch, [watch])
      # What stock OTP needs for some of them, back to where they came from.
      beam = if from == :beam, do: source, else: observer
      sample = Enum.take(old, min(@sample, count))
      stock = call(cluster, beam, :move_each, [sample])
      beams = for {node, :beam} <- Enum.zip(nodes, pair ++ [:beam]), do: node
      floor = slowest(cluster, beams, :floor_us, old) / 1_000

      Map.merge(seen, %{
        pair: pair,
        count: count,
        ms: ms,
        registered: registered,
        stock: stock,
        floor: floor
      })
    end)
  end

  defp tell(cluster, observer, teller, pids, verb) do
    us = call(cluster, observer, :tell, [teller, verb, pids])
    {us / 1_000, :ok}
  end

  defp move(cluster, observer, :echo, source, pids),
    do: tell(cluster, observer, source, pids, :re_register)

  defp move(cluster, _observer, :beam, source, pids) do
    {call(cluster, source, :move_batch, [pids]) / 1_000, :ok}
  end

  @doc "On any BEAM node: has `c` change all names. Gives microseconds."
  def tell(c, verb, pids) do
    changes = changes(verb, pids)
    time(fn -> ask(c, {:change, changes}) end)
  end

  @doc "On a BEAM host: moves all names by what sessions use. Gives microseconds."
  def move_batch(pids) do
    alias Minotaur.GameEngine.Names.Batch
    {:ok, _} = Batch.start_link([])
    moves = for {pid, index} <- Enum.with_index(pids), do: {{:name, index}, pid}
    time(fn -> Batch.move(moves) end)
  end

  @doc "On a BEAM node: moves names one after the other. Gives microseconds per name."
  def move_each(pids) do
    us =
      time(fn ->
        for {pid, index} <- Enum.with_index(pids),
            do: :yes = :global.re_register_name({:name, index}, pid)
      end)

    us / length(pids)
  end

  @doc "On a BEAM node: processes on `node`."
  def processes(:echo, node, count), do: targets(node, count)

  def processes(:beam, node, count),
    do: for(_ <- 1..count, do: Node.spawn(node, :timer, :sleep, [:infinity]))

  @doc "On a BEAM node: `count` processes on a C node."
  def targets(c, count) do
    for _ <- 1..count do
      {:ok, pid} = GenServer.call({:conformance_echo, c}, {:start_target})
      pid
    end
  end

  # Two processes look, one for names and one for the lock, until they are told to stop.

  @doc "On the node that looks on."
  def start_watch(count) do
    for {kind, look} <- [polls: &poll(&1, count), lock: &look_at_lock/1], into: %{} do
      seen = %{polls: 0, missing: 0, held: [], since: nil, longest: 0}
      {kind, spawn(fn -> look.(seen) end)}
    end
  end

  @doc "What they saw."
  def end_watch(watch) do
    [polls, lock] = for kind <- [:polls, :lock], do: stop(watch[kind])
    %{polls: polls.polls, missing: polls.missing, held_ms: lock.longest / 1_000}
  end

  defp stop(pid) do
    send(pid, {:stop, self()})
    receive do: ({^pid, seen} -> seen)
  end

  defp poll(seen, count) do
    missing =
      Enum.count(1..@burst, fn _ ->
        :global.whereis_name({:name, :rand.uniform(count) - 1}) == :undefined
      end)

    seen = %{seen | polls: seen.polls + @burst, missing: seen.missing + missing}
    go_on(seen, &poll(&1, count))
  end

  # How long the lock stands on this node. Who takes it is monitored by a new reference each time,
  # so that a break between two looks is seen.
  defp look_at_lock(seen) do
    now = System.monotonic_time(:microsecond)
    held = for {_, _, holders} <- :ets.lookup(:global_locks, :global), do: List.last(holders)

    seen =
      cond do
        held == [] or held != seen.held -> %{seen | held: held, since: now}
        true -> %{seen | longest: max(seen.longest, now - seen.since)}
      end

    go_on(seen, &look_at_lock/1)
  end

  # Not without pause, or nobody else would get a processor.
  defp go_on(seen, look) do
    receive do
      {:stop, from} -> send(from, {self(), seen})
    after
      1 -> look.(seen)
    end
  end

  # C nodes alone: what is left when no BEAM node keeps the table.
  defp alone(count) do
    Report.say("#{count} names among three C nodes")

    with_cluster([:echo, :echo, :echo], fn cluster, [source, target, _third] ->
      [old, new] = for node <- [source, target], do: remote(cluster, :targets, [node, count])
      registered = remote(cluster, :tell, [source, :register, old]) / 1_000
      ms = remote(cluster, :tell, [source, :re_register, new]) / 1_000
      %{count: count, ms: ms, registered: registered}
    end)
  end

  # -- locks

  # A host that is called without pause by one node, and asked for locks by another.
  defp locks(kind) do
    Report.say("locks of #{name(kind)} under load")
    {:ok, cluster} = Manager.start_link(%{})

    try do
      host = Cluster.start_node(cluster, host(kind))
      [caller, observer] = nodes = for _ <- 1..2, do: start(cluster, :beam)
      for node <- [host | nodes], do: await_known(cluster, node, [host | nodes])
      idle = lock_times(cluster, observer, host)
      ids = for _ <- 1..@sessions, do: start_session(cluster, host)
      callers = on(cluster, caller, LockLoad, :start_callers, [ids, @callers])
      loaded = lock_times(cluster, observer, host)
      calls = on(cluster, caller, LockLoad, :stop_callers, [callers])
      %{kind: kind, idle: idle, loaded: loaded, calls: calls}
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  defp host(:c), do: [kind: :c, environment: [minotaur: [round_seconds: 0]]]
  defp host(:beam), do: [arguments: @beam_arguments] ++ Keyword.put(host(:c), :kind, :beam)

  defp start_session(cluster, host) do
    game = GameEngineFixtures.game_fixture(round_end_time: nil)
    {:ok, _pid} = Cluster.call(cluster, host, GameEngine, :continue_game, [nil, game])
    game.id
  end

  # In milliseconds: the middle one, the 99th of 100, the longest.
  defp lock_times(cluster, observer, host) do
    times = on(cluster, observer, LockLoad, :lock_times, [host, @locks])
    for at <- [div(@locks, 2), div(@locks * 99, 100), @locks - 1], do: Enum.at(times, at) / 1_000
  end

  # -- the cluster

  defp with_cluster(kinds, fun) do
    {:ok, cluster} = Manager.start_link(%{})

    try do
      nodes = for kind <- kinds, do: start(cluster, kind)
      for node <- nodes, do: await_known(cluster, node, nodes)
      fun.(cluster, nodes)
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  defp start(cluster, kind) do
    arguments = if kind == :beam, do: @beam_arguments, else: []
    Cluster.start_node(cluster, kind: kind, applications: [], arguments: arguments)
  end

  defp await_known(cluster, node, nodes) do
    wait_until(fn ->
      server = {:global_name_server, node}

      Enum.sort(Cluster.genserver_call(cluster, node, server, :get_known)) ==
        Enum.sort(nodes -- [node])
    end)
  end

  defp call(cluster, node, function, arguments),
    do: on(cluster, node, __MODULE__, function, arguments)

  defp on(cluster, node, module, function, arguments) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, :erpc, :call, [node, module, function, arguments, :infinity], :infinity)
  end

  # On the hidden node by which the harness reaches C nodes.
  defp remote(cluster, function, [node | _] = arguments) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, __MODULE__, function, arguments, :infinity)
  end

  defp ask(c, request), do: GenServer.call({:namer, c}, request, :infinity)

  defp changes(verb, pids),
    do: for({pid, index} <- Enum.with_index(pids), do: {verb, {:name, index}, pid})

  defp time(fun), do: fun |> :timer.tc() |> elem(0)
  defp rate(count, us), do: count * 1_000_000 / us

  defp wait_until(fun, deadline \\ System.monotonic_time(:millisecond) + @settle_ms) do
    cond do
      fun.() -> :ok
      System.monotonic_time(:millisecond) > deadline -> raise "waited in vain"
      true -> Process.sleep(20) && wait_until(fun, deadline)
    end
  end

  # -- the report

  defp name(:beam), do: "a BEAM node"
  defp name(:c), do: "a C node"

  defp kind(:beam), do: "a BEAM node"
  defp kind(:echo), do: "a C node"

  defp conditions(rounds) do
    [
      """
      All nodes share the processors; BEAM nodes run with \
      `#{Enum.join(@beam_arguments, " ")}`. Each name belongs to a process of its own. *one by \
      one*: #{@singles} names, each when the one before is registered everywhere. *at once*: \
      #{@batch} names by one request. *floor*: the same names told to the \
      `global_name_server` of each BEAM node alone, by a process beside it, in one message under \
      one lock, as fast as it takes them: no wire, no C node; all BEAM nodes at once, the slowest \
      counts. #{rounds} rounds in turns, medians.\
      """,
      """
      Moves: all names of one node go to processes of another by one request, in a cluster of the \
      two and a BEAM node, on which one process looks up #{@burst} names each millisecond and \
      another looks at the lock. *stock* is `:global.re_register_name/2` on a BEAM node, per name, \
      for #{@sample} of these names among the others. A BEAM node's `:global` copies, for each \
      name, a map of all names that the processes of one node have (`save_node_resource_info` in \
      global.erl of OTP 25 to 29): its time per name grows with their number, whoever moves them. \
      *floor* is what the servers of the BEAM nodes spend on all names when they alone are told to \
      give them back, as above. The last row is a cluster of three C nodes, in which \
      nobody spends that.\
      """
    ]
  end

  defp goals(rates, moves, locks) do
    of_rates =
      for %{nodes: nodes, samples: samples} <- rates, {what, limit} <- [single: 1.0, batch: 10] do
        ratios = for sample <- samples, do: sample[what] / sample.beam
        Report.goal_row("#{nodes} nodes, #{title(what)}: rate", ratios, :at_least, limit)
      end

    of_moves =
      for move <- moves do
        name = "#{move.count} names from #{pair(move.pair)}"

        [
          Report.goal_row("#{name}: ms", [move.ms], :at_most, 2_000),
          Report.goal_row("#{name}: found missing", [move.missing], :at_most, 0),
          Report.goal_row("#{name}: longest lock ms", [move.held_ms], :at_most, 50)
        ]
      end

    %{loaded: [_middle, p99, _longest]} = Enum.find(locks, &(&1.kind == :c))
    of_lock = Report.goal_row("lock answered under load, p99: ms", [p99], :at_most, 10)
    Report.goal_table(of_rates ++ Enum.concat(of_moves) ++ [of_lock])
  end

  defp title(:single), do: "one by one"
  defp title(:batch), do: "#{@batch} at once"

  defp pair([from, to]), do: "#{kind(from)} to #{kind(to)}"

  defp rate_table(rates) do
    rows =
      for %{nodes: nodes, samples: samples} <- rates do
        of = fn what -> Enum.map(samples, & &1[what]) end

        [
          "#{nodes}",
          Report.cell(of.(:beam), of.(:single), 0),
          Report.cell(of.(:beam), of.(:batch), 0),
          Report.cell(of.(:floor), of.(:batch), 0)
        ]
      end

    columns = ["nodes", "names/s one by one", "names/s at once", "at once: floor → C node"]
    Report.table(columns, rows)
  end

  defp move_table(moves, alone) do
    rows =
      for move <- moves do
        [
          pair(move.pair),
          Report.number(move.registered, 0),
          Report.number(move.ms, 0),
          Report.number(move.floor, 0),
          Report.number(move.ms * 1_000 / move.count, 0),
          Report.number(move.stock, 0),
          "#{move.polls}",
          "#{move.missing}",
          Report.number(move.held_ms, 1)
        ]
      end

    last = [
      "C nodes alone",
      Report.number(alone.registered, 0),
      Report.number(alone.ms, 0),
      "",
      Report.number(alone.ms * 1_000 / alone.count, 0) | List.duplicate("", 4)
    ]

    columns = ["from, to", "registered ms", "moved ms", "floor ms", "µs/name", "stock µs/name"]
    Report.table(columns ++ ["looked up", "missing", "longest lock ms"], rows ++ [last])
  end

  defp lock_table(locks) do
    rows =
      for %{kind: kind, idle: idle, loaded: loaded, calls: calls} <- locks do
        [name(kind) | for(ms <- idle ++ loaded, do: Report.number(ms, 2))] ++ ["#{calls}"]
      end

    loaded = "#{@callers} callers of #{@sessions} sessions"

    Report.table(
      ["lock answers, ms", "idle: p50", "p99", "max", "#{loaded}: p50", "p99", "max", "calls"],
      rows
    )
  end
end
