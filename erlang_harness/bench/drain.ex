defmodule Minotaur.Bench.Drain do
  @moduledoc """
  A host leaves while clients call its sessions: how long it takes, and what the callers notice.

  For each row a cluster of its own: the host that leaves, the host that stays, and a BEAM node that
  hosts nothing and calls. All share the same processors.
  """

  alias Minotaur.Bench.{Os, Report}
  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{Hosts, Walker}

  @pairs [c: :beam, c: :c, beam: :c]
  @counts [200, 1_000, 10_000, 50_000]
  @walkers 4
  @calls_before 1_000
  @beam_arguments ~w(+S 2:2)
  @environment [round_seconds: 0, drain_seconds: 300, capacity: 100_000]

  @goal_count 10_000
  @goal_ms %{{:c, :c} => 5_000, {:c, :beam} => 10_000}
  @goal_stall_ms [p99: 20, max: 100]

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    load = Os.load()
    rows = for count <- counts(options), pair <- pairs(options), do: row(pair, count)
    Report.head(load, conditions()) ++ goals(rows) ++ table(rows)
  end

  defp counts(options) do
    case options do
      %{counts: text} -> text |> String.split(",") |> Enum.map(&String.to_integer/1)
      %{quick: true} -> Enum.take(@counts, 2)
      _all -> @counts
    end
  end

  defp pairs(%{pairs: text}) do
    for pair <- String.split(text, ",") do
      [from, to] = String.split(pair, "-")
      {kind!(from), kind!(to)}
    end
  end

  defp pairs(_all), do: @pairs

  defp kind!("c"), do: :c
  defp kind!("beam"), do: :beam

  # -- one drain

  defp row({from, to} = pair, count) do
    Report.say("#{title(pair)}: #{count} sessions")
    {:ok, cluster} = Manager.start_link(%{})

    try do
      caller = start(cluster, :beam, capacity: 0)
      leaver = start(cluster, from, [])
      started = now_ms()
      walkers = call(cluster, caller, Walker, :start, [leaver, count, @walkers])
      Report.say("  started in #{now_ms() - started} ms")
      start(cluster, to, [])
      measured = measure(cluster, caller, leaver, walkers)
      Map.merge(measured, %{pair: pair, count: count})
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  defp start(cluster, kind, settings) do
    arguments = if kind == :beam, do: @beam_arguments, else: []
    environment = [minotaur: Keyword.merge(@environment, settings)]
    Cluster.start_node(cluster, kind: kind, environment: environment, arguments: arguments)
  end

  defp measure(cluster, caller, leaver, walkers) do
    result = call(cluster, caller, __MODULE__, :drain, [leaver, walkers])
    status = Cluster.await_stop(cluster, leaver, exit_status: :any)
    differ = call(cluster, caller, Walker, :verify, [walkers])
    Report.say("  #{inspect(Map.delete(result, :longest))}, exit #{status}, #{differ} differ")
    Map.merge(result, %{status: status, differ: differ})
  end

  # However long it takes.
  defp call(cluster, node, module, function, arguments) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, module, function, arguments, :infinity)
  end

  @doc "On the calling node: drains the host of `node` while the walkers walk."
  @spec drain(node, [pid]) :: map
  def drain(node, walkers) do
    Walker.walk(walkers)
    await_calls(walkers, @calls_before)
    before = Walker.calls(walkers)
    {:ok, summary} = Hosts.drain(node)
    during = Walker.calls(walkers) - before
    await_calls(walkers, before + during + @calls_before)
    walkers |> Walker.stop() |> Map.merge(%{summary: summary, during: during})
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
      *drain* is the whole of it as the leaving host counts it, forwarders awaited included. \
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
        [time_goal(row), none_goal(row)] ++ for(goal <- @goal_stall_ms, do: stall_goal(row, goal))
      end

    case goals |> List.flatten() |> Enum.reject(&is_nil/1) do
      [] ->
        []

      goals ->
        Report.table(["#{@goal_count} sessions", "asked", "measured", "reached"], cells(goals))
    end
  end

  defp cells(goals) do
    for {name, limit, value, digits} <- goals do
      reached = if value <= limit, do: "yes", else: "**no**"
      [name, "≤ #{limit}", Report.number(value, digits), reached]
    end
  end

  defp time_goal(%{pair: pair, summary: summary}) do
    if limit = @goal_ms[pair], do: {"#{title(pair)}: drain, ms", limit, summary.ms, 0}
  end

  defp none_goal(%{pair: pair} = row) do
    {"#{title(pair)}: failed calls, wrong, lost", 0, failed(row) + wrong(row) + row.summary.lost,
     0}
  end

  defp stall_goal(%{pair: pair, summary: summary}, {key, limit}) do
    if stall = summary[:stall_ms] do
      {"#{title(pair)}: stall #{key}, ms", limit, stall[key], 0}
    end
  end

  defp table(rows) do
    head = [
      "from → to",
      "sessions",
      "drain s",
      "sessions/s",
      "calls meanwhile",
      "failed",
      "wrong",
      "lost",
      "stall ms p50 / p99 / max",
      "longest call ms p50 / p99 / max",
      "MB"
    ]

    Report.table(head, Enum.map(rows, &line/1))
  end

  defp line(%{summary: summary} = row) do
    [
      title(row.pair),
      "#{row.count}",
      Report.number(summary.ms / 1_000, 2),
      Report.number(summary.moved * 1_000 / max(summary.ms, 1), 0),
      "#{row.during}",
      "#{failed(row)}",
      "#{wrong(row)}",
      "#{summary.lost}",
      stall(summary[:stall_ms]),
      row.longest |> Enum.sort() |> spread(1.0e6),
      megabytes(summary[:bytes])
    ]
  end

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

  defp title({from, to}), do: "#{name(from)} → #{name(to)}"
  defp name(:c), do: "C"
  defp name(:beam), do: "BEAM"

  defp now_ms, do: System.monotonic_time(:millisecond)
end
