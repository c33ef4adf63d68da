defmodule Minotaur.Bench.Drain do
  @moduledoc """
  A host leaves while clients call its sessions: how long it takes, and what the callers notice.

  For each row a cluster of its own: the host that leaves, the host that stays, and a BEAM node that
  hosts nothing and calls. All share the same processors. The calling node is a `member` of
  `:global`, as an application's nodes are; or `hidden`, so that only the hosts have the names: what
  is left then is the drain itself.
  """

  alias Minotaur.Bench.{Floor, Os, Report}
  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, Hosts, Walker}

  @pairs [c: :beam, c: :c, beam: :c]
  @counts [200, 1_000, 10_000, 50_000]
  @callers [:member, :hidden]
  # More names than that would take a BEAM member an hour.
  @member_count_max 10_000
  @sample 200
  @walkers 4
  @calls_before 1_000
  @beam_arguments ~w(+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none)
  @environment [round_seconds: 0, drain_seconds: 300, capacity: 100_000]

  @goal_count 10_000
  @goal_ms %{{:c, :c} => 5_000, {:c, :beam} => 10_000}
  @goal_stall_ms [p99: 20, max: 100]

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    load = Os.load()

    rows =
      for count <- counts(options),
          pair <- pairs(options, count),
          callers <- callers(options, count),
          do: row(pair, count, callers)

    Report.head(load, conditions()) ++ goals(rows) ++ table(rows)
  end

  defp counts(options) do
    case options do
      %{counts: text} -> text |> String.split(",") |> Enum.map(&String.to_integer/1)
      %{quick: true} -> Enum.take(@counts, 2)
      _all -> @counts
    end
  end

  defp pairs(%{pairs: text}, _count) do
    for pair <- String.split(text, ",") do
      [from, to] = String.split(pair, "-")
      {kind!(from), kind!(to)}
    end
  end

  defp pairs(_all, count) when count > @member_count_max, do: [c: :c]
  defp pairs(_all, _count), do: @pairs

  defp callers(%{callers: text}, _count),
    do: for(name <- String.split(text, ","), do: String.to_existing_atom(name))

  defp callers(_all, count) when count > @member_count_max, do: [:hidden]
  defp callers(_all, _count), do: @callers

  defp kind!("c"), do: :c
  defp kind!("beam"), do: :beam

  # -- one drain

  defp row({from, to} = pair, count, callers) do
    Report.say("#{title(pair)}: #{count} sessions, callers #{callers}")
    {:ok, cluster} = Manager.start_link(%{})

    try do
      caller = start_caller(cluster, callers)
      leaver = start(cluster, from, [])
      started = now_ms()
      walkers = call(cluster, caller, Walker, :start, [leaver, count, @walkers])
      Report.say("  started in #{now_ms() - started} ms")
      target = start(cluster, to, [])
      via = if callers == :hidden, do: target
      site = %{caller: caller, leaver: leaver, target: target, via: via}
      members = members([{caller, callers}, {leaver, from}, {target, to}])
      measured = measure(cluster, site, members, walkers)
      Map.merge(measured, %{pair: pair, count: count, callers: callers})
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  defp start_caller(cluster, :member), do: start(cluster, :beam, capacity: 0)

  defp start_caller(cluster, :hidden) do
    options = [kind: :beam, applications: [], hidden: true, arguments: @beam_arguments]
    Cluster.start_node(cluster, options)
  end

  # The BEAM nodes whose :global has the names.
  defp members(nodes), do: for({node, kind} <- nodes, kind in [:beam, :member], do: node)

  defp start(cluster, kind, settings) do
    arguments = if kind == :beam, do: @beam_arguments, else: []
    environment = [minotaur: Keyword.merge(@environment, settings)]
    Cluster.start_node(cluster, kind: kind, environment: environment, arguments: arguments)
  end

  defp measure(cluster, site, members, walkers) do
    # The one that stays has just come: by then it has the names.
    :ok = call(cluster, site.caller, :erpc, :call, [site.target, :global, :sync, []])
    stock = on_member(cluster, List.last(members), :stock_us)
    floor = Floor.slowest(members, &call(cluster, &1, __MODULE__, :floor_ms, []))
    watches = for node <- members, do: {node, call(cluster, node, __MODULE__, :watch_names, [])}
    arguments = [site.leaver, walkers, site.via]
    result = call(cluster, site.caller, __MODULE__, :drain, arguments)
    busy = for {node, watch} <- watches, node != site.leaver, do: names_ms(cluster, node, watch)
    status = Cluster.await_stop(cluster, site.leaver, exit_status: :any)
    differ = call(cluster, site.caller, Walker, :verify, [walkers])
    Report.say("  #{inspect(Map.delete(result, :longest))}, exit #{status}, #{differ} differ")
    names = %{stock_us: stock, floor_ms: floor, busy_ms: Enum.max(busy, fn -> nil end)}
    Report.say("  #{inspect(names)}")
    Map.merge(result, %{status: status, differ: differ, names: names})
  end

  defp on_member(_cluster, nil, _function), do: nil
  defp on_member(cluster, member, function), do: call(cluster, member, __MODULE__, function, [])

  defp names_ms(cluster, node, watch), do: call(cluster, node, __MODULE__, :names_ms, [watch])

  # However long it takes.
  defp call(cluster, node, module, function, arguments) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, module, function, arguments, :infinity)
  end

  @doc "On the calling node: drains the host of `node` while the walkers walk."
  @spec drain(node, [pid], node | nil) :: map
  def drain(node, walkers, via) do
    Walker.walk(walkers, via)
    await_calls(walkers, @calls_before)
    before = Walker.calls(walkers)
    {:ok, summary} = Hosts.drain(node)
    during = Walker.calls(walkers) - before
    await_calls(walkers, before + during + @calls_before)
    walkers |> Walker.stop() |> Map.merge(%{summary: summary, during: during})
  end

  @doc "On a member: what OTP's own re_register_name takes for one of all these names, in µs."
  @spec stock_us :: non_neg_integer | nil
  def stock_us do
    :global.sync()
    names = Enum.take(:global.registered_names(), @sample)
    moves = for name <- names, do: {name, :global.whereis_name(name)}

    times =
      for {name, pid} <- moves do
        {us, :yes} = :timer.tc(fn -> :global.re_register_name(name, pid) end)
        us
      end

    times |> Enum.sort() |> Enum.at(div(length(times), 2))
  end

  @doc """
  On a member: what its `:global` alone takes to give all these names to other processes, in ms. It
  gives them back; no other node hears of it.
  """
  @spec floor_ms :: float
  def floor_ms do
    :global.sync()
    method = &GameEngine.Names.resolve/3
    owned = for name <- :global.registered_names(), do: {name, :global.whereis_name(name)}
    others = for {name, _pid} <- owned, do: {name, spawn(:timer, :sleep, [:infinity])}
    give = fn holders -> for {name, pid} <- holders, do: {:insert, {name, pid, method}} end
    us = Floor.change_us(give.(others))
    Floor.change_us(give.(owned))
    for {_name, pid} <- others, do: Process.exit(pid, :kill)
    us / 1_000
  end

  @doc "On a member: begins to measure for how long its `:global` is on a scheduler."
  @spec watch_names :: pid
  def watch_names do
    server = Process.whereis(:global_name_server)
    watch = spawn(fn -> count_running(nil, 0) end)
    :erlang.trace(server, true, [:running, :monotonic_timestamp, tracer: watch])
    watch
  end

  @doc "How long that was, in milliseconds."
  @spec names_ms(pid) :: float
  def names_ms(watch) do
    send(watch, {:ask, self()})
    receive do: ({^watch, ns} -> ns / 1.0e6)
  end

  defp count_running(since, ns) do
    receive do
      {:trace_ts, _pid, :in, _mfa, now} -> count_running(now, ns)
      {:trace_ts, _pid, :out, _mfa, _first} when since == nil -> count_running(nil, ns)
      {:trace_ts, _pid, :out, _mfa, now} -> count_running(nil, ns + now - since)
      {:ask, from} -> send(from, {self(), ns})
    end
  end

  defp await_calls(walkers, calls) do
    if Walker.calls(walkers) < calls, do: await_calls(walkers, calls)
  end

  # -- the report

  defp conditions do
    [
      """
      A host leaves, one other host stays, and a BEAM node that hosts nothing calls: #{@walkers} \
      processes, each with a share of the sessions, walk over them with `get_game`, then \
      `register_move` or, when all four players have moved, `end_round`, without pause. Games have \
      37 hexes, four players and a log of some rounds. The three nodes and the callers share the \
      processors; BEAM nodes run with `#{Enum.join(@beam_arguments, " ")}`. One run of each.\
      """,
      """
      *callers*: as a *member* of `:global`, the calling node has every session's name, as an \
      application's nodes have. A BEAM member copies, for each name that moves, a map of all names \
      of the node that has it and one of the node that gets it (`save_node_resource_info` in \
      global.erl of OTP 25 to 29), so that its time for N names grows with N². When the caller is \
      *hidden* it has no names, keeps the pids of the sessions and asks the staying host by rpc \
      when one is gone: then only the hosts have the names, and with C hosts alone nobody copies. \
      *member ms/name* is what one stock `:global.re_register_name/2` takes on a BEAM member \
      with all names in place, before the drain and its load begin (median of #{@sample}); \
      *names' floor s* is what the `global_name_server` of each member takes to give all names to \
      processes of its own node when nobody else is told, in one message, all members at once, on \
      a machine that does nothing else meanwhile: no drain is over before the slowest of them, \
      whoever moves the names; \
      *members busy s* is for how long the `global_name_server` of the busiest BEAM node that \
      stays was on a scheduler during the drain, which cannot be over before it is.\
      """,
      """
      The drain begins when the host that stays, started last, has joined in `:global`. *drain* is \
      the whole of it as the leaving host counts it, forwarders awaited included. \
      *wrong* are answers that lack an update or show it twice, and games that in the end are \
      not, term by term, what the callers' own copies are. *stall* is the time between a \
      session's freeze and its run on the other host, as the leaving host sees it; *longest \
      call* is the callers' view: for each session its longest call, of all sessions the middle \
      one, the 99th of 100, and the highest. *MB* are the states. A host takes at least 500 ms: \
      forwarders stay that long.\
      """
    ]
  end

  defp goals(rows) do
    rows = Enum.filter(rows, &(&1.count == @goal_count))

    goals =
      for row <- rows do
        [time_goal(row), floor_line(row), none_goal(row)] ++
          for(goal <- @goal_stall_ms, do: stall_goal(row, goal))
      end

    case goals |> List.flatten() |> Enum.reject(&is_nil/1) do
      [] ->
        []

      goals ->
        Report.table(["#{@goal_count} sessions", "asked", "measured", "reached"], cells(goals))
    end
  end

  defp cells(goals) do
    for {name, limit, value} <- goals do
      [name, asked(limit), Report.number(value, 0), reached(limit, value)]
    end
  end

  defp asked(nil), do: "-"
  defp asked(limit), do: "≤ #{limit}"

  defp reached(nil, _value), do: "-"
  defp reached(limit, value), do: if(value <= limit, do: "yes", else: "**no**")

  defp time_goal(%{pair: pair, summary: summary} = row) do
    if limit = @goal_ms[pair], do: {"#{goal_title(row)}: drain, ms", limit, summary.ms}
  end

  # What of it is OTP's.
  defp floor_line(%{names: %{floor_ms: nil}}), do: nil
  defp floor_line(row), do: {"#{goal_title(row)}: names' floor, ms", nil, row.names.floor_ms}

  defp none_goal(row) do
    {"#{goal_title(row)}: failed calls, wrong, lost", 0,
     failed(row) + wrong(row) + row.summary.lost}
  end

  defp stall_goal(%{summary: summary} = row, {key, limit}) do
    if stall = summary[:stall_ms] do
      {"#{goal_title(row)}: stall #{key}, ms", limit, stall[key]}
    end
  end

  defp table(rows) do
    head = [
      "from → to",
      "callers",
      "sessions",
      "drain s",
      "sessions/s",
      "calls meanwhile",
      "failed",
      "wrong",
      "lost",
      "stall ms p50 / p99 / max",
      "longest call ms p50 / p99 / max",
      "MB",
      "member ms/name",
      "names' floor s",
      "members busy s"
    ]

    Report.table(head, Enum.map(rows, &line/1))
  end

  defp line(%{summary: summary} = row) do
    [
      title(row.pair),
      "#{row.callers}",
      "#{row.count}",
      Report.number(summary.ms / 1_000, 2),
      Report.number(summary.moved * 1_000 / max(summary.ms, 1), 0),
      "#{row.during}",
      "#{failed(row)}",
      "#{wrong(row)}",
      "#{summary.lost}",
      stall(summary[:stall_ms]),
      row.longest |> Enum.sort() |> spread(1.0e6),
      megabytes(summary[:bytes]),
      number(row.names.stock_us, 1_000, 2),
      number(row.names.floor_ms, 1_000, 1),
      number(row.names.busy_ms, 1_000, 1)
    ]
  end

  defp number(nil, _unit, _digits), do: "-"
  defp number(value, unit, digits), do: Report.number(value / unit, digits)

  defp stall(nil), do: "-"

  defp stall(ms), do: Enum.join([ms.p50, ms.p99, ms.max], " / ")

  defp spread([], _unit), do: "-"

  defp spread(sorted, unit) do
    count = length(sorted)

    Enum.map_join([0.5, 0.99, 1.0], " / ", fn part ->
      value = Enum.at(sorted, max(ceil(part * count), 1) - 1)
      Report.number(value / unit, 1)
    end)
  end

  defp megabytes(nil), do: "-"
  defp megabytes(bytes), do: Report.number(bytes / 1.0e6, 1)

  defp failed(row), do: row.failed |> Map.values() |> Enum.sum()
  defp wrong(row), do: row.wrong + row.differ

  defp goal_title(row), do: "#{title(row.pair)}, callers #{row.callers}"
  defp title({from, to}), do: "#{name(from)} → #{name(to)}"
  defp name(:c), do: "C"
  defp name(:beam), do: "BEAM"

  defp now_ms, do: System.monotonic_time(:millisecond)
end
