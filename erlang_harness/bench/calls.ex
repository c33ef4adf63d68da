defmodule Minotaur.Bench.Calls do
  @moduledoc """
  Calls to game sessions on a BEAM node and on a C node, in the same cluster, in turns.

  Every figure is the median over the rounds, and every ratio (C node by BEAM node) the median of
  the rounds' ratios, since what the machine does besides changes from round to round.
  """

  alias Minotaur.Bench.{Caller, Histogram, Os, Report, Site}

  @sessions 16
  @requests [:get_game, :end_round, :play]
  @callers [1, 16, 64, 512]
  @lead_ms 40

  # Sessions for each caller of a play and rounds in each: some thousand calls, in games of a usual
  # length where the number of callers allows it.
  @plays %{1 => {60, 20}, 16 => {4, 20}, 64 => {1, 20}, 512 => {1, 4}}
  @quick_plays %{1 => {4, 20}, 16 => {1, 4}, 64 => {1, 4}, 512 => {1, 1}}

  @metrics [
    p50: {"p50 µs", 0},
    p99: {"p99 µs", 0},
    rate: {"calls/s", 0},
    cpu: {"server CPU µs/call", 2},
    own_cpu: {"callers' CPU µs/call", 1},
    wire: {"bytes/reply", 0}
  ]

  @goals [
    {:pinned, :get_game, 64, :cpu, :at_most, 0.12},
    {:pinned, :get_game, 1, :p50, :at_most, 0.65},
    {:pinned, :get_game, 64, :rate, :at_least, 0.98},
    {:shared, :get_game, 64, :rate, :at_least, 1.5},
    {:pinned, :end_round, 64, :cpu, :at_most, 0.25},
    {:pinned, :play, 64, :cpu, :at_most, 0.25},
    {:shared, :end_round, 64, :rate, :at_least, 1.3},
    {:shared, :play, 64, :rate, :at_least, 1.3}
  ]

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    sizes = if options[:quick], do: {1, 60, 200, @quick_plays}, else: {5, 150, 800, @plays}
    load = Os.load()
    cells = for mode <- [:pinned, :shared], into: %{}, do: {mode, run_mode(mode, sizes)}
    Report.head(load, conditions(sizes)) ++ goals(cells) ++ Enum.flat_map(cells, &table/1)
  end

  defp run_mode(mode, {rounds, _warm_ms, _window_ms, _plays} = sizes) do
    Report.say(Site.describe(mode))

    Site.with_site(mode, fn site ->
      sessions = for kind <- [:beam, :c], into: %{}, do: {kind, start_sessions(site, kind)}

      for round <- 1..rounds, request <- @requests, callers <- @callers do
        Report.say("round #{round}: #{request}, callers #{callers}")

        pair =
          for kind <- order(round), do: {kind, one(site, kind, request, callers, sessions, sizes)}

        {{request, callers}, Map.new(pair)}
      end
    end)
    |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
  end

  # Who comes first alternates.
  defp order(round) when rem(round, 2) == 1, do: [:beam, :c]
  defp order(_round), do: [:c, :beam]

  defp start_sessions(site, kind) do
    Site.call(site, hd(site.callers), Caller, :start_sessions, [site[kind], @sessions])
  end

  # -- one measurement of one server

  defp one(site, kind, :play, callers, _sessions, {_, _, _, plays}) do
    {games, rounds} = plays[callers]
    each = per_node(site, callers)
    server = site[kind]

    played =
      for node <- site.callers do
        {node, Site.call(site, node, Caller, :start_sessions, [server, games * each])}
      end

    plan = %{server: server, callers: each, rounds: rounds, start_at: soon(@lead_ms)}

    results =
      on_all(played, fn {node, sessions} ->
        Site.call(site, node, Caller, :play, [Map.put(plan, :sessions, sessions)])
      end)

    for {node, sessions} <- played, do: Site.call(site, node, Caller, :end_sessions, [sessions])
    figures(results)
  end

  defp one(site, kind, request, callers, sessions, {_, warm_ms, window_ms, _}) do
    plan = %{
      server: site[kind],
      sessions: sessions[kind],
      request: request,
      callers: per_node(site, callers),
      start_at: soon(@lead_ms + warm_ms),
      window_ms: window_ms
    }

    figures(on_all(site.callers, &Site.call(site, &1, Caller, :measure, [plan])))
  end

  defp on_all(nodes, fun) do
    nodes |> Enum.map(&Task.async(fn -> fun.(&1) end)) |> Task.await_many(60_000)
  end

  defp per_node(site, callers), do: max(div(callers, length(site.callers)), 1)

  defp soon(ms), do: System.os_time(:nanosecond) + ms * 1_000_000

  # Of the results of all calling nodes.
  defp figures(results) do
    latencies = Histogram.merge(for result <- results, do: result.latencies)
    calls = Histogram.count(latencies)
    cpu_from = results |> Enum.map(& &1.cpu_from) |> Enum.min()
    cpu_to = results |> Enum.map(& &1.cpu_to) |> Enum.max()

    %{
      p50: Histogram.percentile(latencies, 0.5) / 1_000,
      p99: Histogram.percentile(latencies, 0.99) / 1_000,
      rate: Enum.sum(for r <- results, do: r.calls / (r.to - r.from) * 1.0e9),
      cpu: (cpu_to - cpu_from) / calls / 1_000,
      own_cpu: Enum.sum(for r <- results, do: r.own_cpu) / calls / 1_000,
      wire: Enum.sum(for r <- results, do: r.wire_bytes) / calls
    }
  end

  # -- the report

  defp conditions({rounds, warm_ms, window_ms, _plays}) do
    [
      """
      A game has 37 hexes and four players. `:get_game` and `:end_round` go to #{@sessions} games, \
      for #{warm_ms} ms of warm-up and #{window_ms} ms that are measured. *moves* is four \
      `register_move` and an `:end_round` per round, 20 rounds to a game (4 with 512 callers), \
      each caller in games of its own. Callers are processes that call without pause, in all \
      calling nodes together (with two of them, the row "1" is one in each). #{rounds} rounds, \
      servers in turns.\
      """,
      """
      BEAM nodes run with `#{Site.beam_flags(:pinned)}`, unpinned with `+S 2:2`. CPU is user and \
      system time. Bytes per reply are all that came in on the callers' connections, by calls.\
      """,
      "Each cell: BEAM node → C node (ratio). Figures and ratios are medians over the rounds."
    ]
  end

  defp goals(cells) do
    rows =
      for {mode, request, callers, metric, direction, limit} <- @goals do
        ratios = ratios(cells[mode][{request, callers}], metric)
        name = "#{mode}, #{label(request)}, callers #{callers}: #{elem(@metrics[metric], 0)}"
        Report.goal_row(name, ratios, direction, limit)
      end

    Report.goal_table(rows)
  end

  defp table({mode, cells}) do
    head = ["request", "callers" | for({_key, {title, _digits}} <- @metrics, do: title)]

    rows =
      for request <- @requests, callers <- @callers do
        pairs = cells[{request, callers}]
        cells = for {key, {_title, digits}} <- @metrics, do: cell(pairs, key, digits)
        [label(request), "#{callers}" | cells]
      end

    ["### #{Site.describe(mode)}", ""] ++ Report.table(head, rows)
  end

  defp cell(pairs, key, digits) do
    Report.cell(for(p <- pairs, do: p.beam[key]), for(p <- pairs, do: p.c[key]), digits)
  end

  defp ratios(pairs, key), do: for(p <- pairs, do: p.c[key] / p.beam[key])

  defp label(:play), do: "moves"
  defp label(request), do: "`#{inspect(request)}`"
end
