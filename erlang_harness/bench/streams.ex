defmodule Minotaur.Bench.Streams do
  @moduledoc """
  Streams between a BEAM node and another node, a BEAM node or a C node, in turns: small messages in
  bulk, and large binaries with pings on the same connection.

  The C nodes are `minotaur-node` for what goes to a session, and `cnode-echo`; on the BEAM node
  `:conformance_echo` does what the latter does.
  """

  alias Minotaur.Bench.{Caller, Os, Report, Site, Stream}

  @modes [:pinned, :unpinned]
  @binary_bytes 64_000_000
  @messages [
    casts: {:echo, "casts/s into an echo"},
    infos: {:session, "messages/s into a game session"},
    messages_out: {:echo, "messages/s out of an echo"}
  ]
  @binaries [binary_in: {:echo, "64 MB in, MB/s"}, binary_out: {:echo, "64 MB out, MB/s"}]

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    sizes = if options[:quick], do: {1, 10_000}, else: {7, 50_000}
    load = Os.load()
    measured = for mode <- @modes, do: {mode, run_mode(mode, sizes)}

    Report.head(load, conditions(sizes)) ++
      goals(measured) ++ Enum.flat_map(measured, fn {mode, results} -> tables(mode, results) end)
  end

  defp run_mode(mode, {rounds, count}) do
    Report.say(Site.describe(mode))

    Site.with_site(mode, fn site ->
      targets = %{echo: echoes(site), session: sessions(site)}

      for round <- 1..rounds, {stream, {kind, title}} <- @messages ++ @binaries do
        Report.say("round #{round}: #{title}")
        size = if stream in Keyword.keys(@messages), do: count, else: @binary_bytes
        results = for s <- order(round), do: {s, one(site, targets[kind][s], stream, size)}
        {stream, results |> Map.new() |> Map.put(:size, size)}
      end
    end)
    |> Enum.group_by(&elem(&1, 0), &elem(&1, 1))
  end

  defp order(round) when rem(round, 2) == 1, do: [:beam, :c]
  defp order(_round), do: [:c, :beam]

  defp echoes(site) do
    {:ok, pid} = Site.call(site, site.beam.node, :conformance_echo, :start, [])
    server = Site.start_echo(site)
    name = {:conformance_echo, server.node}
    c_pid = Site.call(site, hd(site.callers), GenServer, :call, [name, {:whoami}])
    %{beam: Map.put(site.beam, :pid, pid), c: Map.put(server, :pid, c_pid)}
  end

  defp sessions(site) do
    for kind <- [:beam, :c], into: %{} do
      start = [site[kind], 1]
      [{pid, _game}] = Site.call(site, hd(site.callers), Caller, :start_sessions, start)
      {kind, Map.put(site[kind], :pid, pid)}
    end
  end

  defp one(site, target, stream, size) do
    Site.call(site, hd(site.callers), Stream, stream, [target, size])
  end

  # -- the report

  defp conditions({rounds, count}) do
    [
      """
      One BEAM node sends to, or is sent to by, one server: #{count} messages at a time (out: half \
      of them answers), or a binary of #{@binary_bytes} bytes, ended by a call that is \
      answered when all has been taken; what arrived is compared. Meanwhile `Node.ping` goes over \
      the same connection, again 1 ms after each answer. #{rounds} rounds, servers in turns. \
      Messages into a session are stale round timers, which it drops. Memory is the highest \
      resident size less that before.\
      """,
      "BEAM nodes run with `#{Site.beam_flags(:pinned)}`, unpinned with `+S 2:2`.",
      """
      Each cell: BEAM node → C node (ratio). Figures and ratios are medians over the rounds, pings \
      and memory the highest of all rounds.\
      """
    ]
  end

  defp goals(measured) do
    rows = for {mode, results} <- measured, row <- goals(mode, results), do: row

    Report.goal_table(rows)
  end

  defp goals(mode, results) do
    rates =
      for {stream, {_kind, title}} <- @binaries do
        ratios = Report.ratios(rates(results[stream], :beam), rates(results[stream], :c))
        Report.goal_row("#{mode}: #{title}", ratios, :at_least, 0.8)
      end

    pings =
      for {stream, {_kind, title}} <- @binaries do
        longest = worst(results[stream], :c, &ping_ms/1)
        Report.goal_row("#{mode}: #{title}: longest ping, ms", [longest], :at_most, 50)
      end

    memory = worst(results.binary_out, :c, &(&1.peak_bytes / @binary_bytes))
    rates ++ pings ++ [Report.goal_row("#{mode}: memory for 64 MB out", [memory], :at_most, 2)]
  end

  defp tables(mode, results) do
    ["### #{Site.describe(mode)}", ""] ++ message_table(results) ++ binary_table(results)
  end

  defp message_table(results) do
    rows =
      for {stream, {_kind, title}} <- @messages do
        pairs = results[stream]
        per_message = fn result -> result.cpu_ns / hd(pairs).size / 1_000 end
        [title, cell(pairs, &rates/2, 0), cell(pairs, &each(&1, &2, per_message), 2)]
      end

    Report.table(["stream", "rate", "server CPU µs/message"], rows)
  end

  defp binary_table(results) do
    rows =
      for {stream, {_kind, title}} <- @binaries do
        pairs = results[stream]
        megabytes = fn pairs, server -> for r <- rates(pairs, server), do: r / 1.0e6 end
        cpu = &each(&1, &2, fn result -> result.cpu_ns / 1.0e6 end)
        memory = highest(pairs, &(&1.peak_bytes / 1.0e6), 0)

        [
          title,
          cell(pairs, megabytes, 0),
          cell(pairs, cpu, 0),
          highest(pairs, &ping_ms/1, 1),
          memory
        ]
      end

    Report.table(["stream", "rate", "server CPU ms", "longest ping ms", "memory MB"], rows)
  end

  defp cell(pairs, figures, digits) do
    Report.cell(figures.(pairs, :beam), figures.(pairs, :c), digits)
  end

  # Of both servers.
  defp highest(pairs, fun, digits) do
    [beam, c] = for kind <- [:beam, :c], do: pairs |> worst(kind, fun) |> Report.number(digits)
    "#{beam} → #{c}"
  end

  defp worst(pairs, server, fun), do: pairs |> each(server, fun) |> Enum.max()
  defp ping_ms(result), do: result.ping_ns / 1.0e6
  defp rates(pairs, server), do: for(p <- pairs, do: p.size / p[server].ns * 1.0e9)
  defp each(pairs, server, fun), do: for(p <- pairs, do: fun.(p[server]))
end
