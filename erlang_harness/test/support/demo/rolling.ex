defmodule Minotaur.Demo.Rolling do
  @moduledoc """
  A rolling deploy in front of your eyes: `scripts/demo rolling`.

  Three old hosts, C and BEAM, become three new ones, one after the other: a new one joins, an old
  one leaves. Meanwhile a client calls the sessions without pause. What happens is shown as a table
  that is drawn again and again in a terminal, and as plain lines elsewhere. When a call failed, an
  answer was wrong, or a session is lost, the demo says so and its exit code is 1.
  """

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{SessionHost, Walker}

  @sessions 1_000
  @walkers 2
  @old_version "1.0.0"
  @new_version "2.0.0"
  @kinds [{:c, :beam}, {:beam, :c}, {:c, :c}]
  @draw_ms 100
  @line_ms 1_000
  @calls_after 200

  @type verdict :: %{
          sessions: pos_integer,
          moved: non_neg_integer,
          calls: non_neg_integer,
          failed: non_neg_integer,
          wrong: non_neg_integer,
          lost: non_neg_integer,
          worst_ms: float
        }

  @doc "Runs the demo and ends the VM: 0, or 1 when somebody noticed the deploy."
  @spec main([String.t()]) :: no_return
  def main(arguments) do
    {options, []} = OptionParser.parse!(arguments, strict: [live: :boolean, sessions: :integer])
    verdict = run(Map.new(options))
    Enum.each(summary(verdict), &IO.puts/1)
    System.halt(exit_code(verdict))
  rescue
    error ->
      IO.puts(:stderr, "\nNOT SO: " <> Exception.format(:error, error, __STACKTRACE__))
      System.halt(1)
  end

  @doc """
  Runs the deploy. `:sessions` (#{@sessions}), `:live` whether a table is drawn again and again.
  """
  @spec run(map) :: verdict
  def run(options) do
    count = Map.get(options, :sessions, @sessions)
    {:ok, cluster} = Manager.start_link(%{module: __MODULE__, test: :rolling})

    try do
      IO.puts("Three hosts of version #{@old_version}, and #{count} sessions with full games.")
      caller = start(cluster, :beam, "client", @old_version, capacity: 0)

      olds =
        for {{old, _new}, n} <- Enum.with_index(@kinds, 1) do
          {start(cluster, old, "old#{n}", @old_version), old}
        end

      walkers = on(cluster, caller, Walker, :start, [nil, count, @walkers])
      rollout = %{cluster: cluster, caller: caller, walkers: walkers, count: count}
      deploy(rollout, olds, options[:live] == true)
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  @doc "What the demo's exit code is."
  @spec exit_code(verdict) :: 0 | 1
  def exit_code(%{failed: 0, wrong: 0, lost: 0}), do: 0
  def exit_code(_somebody_noticed), do: 1

  @doc "What the demo says in the end."
  @spec summary(verdict) :: [String.t()]
  def summary(verdict) do
    [
      "",
      "#{verdict.moved} of #{verdict.sessions} sessions run on the new version; " <>
        "#{verdict.calls} calls meanwhile, #{verdict.failed} failed, #{verdict.wrong} wrong, " <>
        "#{verdict.lost} sessions lost, worst stall #{ms(verdict.worst_ms)}.",
      if(exit_code(verdict) == 0, do: "Nobody noticed.", else: "SOMEBODY NOTICED.")
    ]
  end

  # -- the deploy

  defp deploy(rollout, olds, live?) do
    on(rollout.cluster, rollout.caller, Walker, :walk, [rollout.walkers])
    screen = spawn_link(fn -> watch(rollout, olds, live?) end)

    news =
      for {{old, {_kind, kind}}, n} <- olds |> hosts() |> Enum.zip(@kinds) |> Enum.with_index(1) do
        new = start(rollout.cluster, kind, "new#{n}", @new_version)
        tell(screen, {:joins, new, kind})
        tell(screen, {:leaves, old})
        status = Cluster.stop_node(rollout.cluster, old, exit_status: :any)
        tell(screen, {:left, old, status})
        new
      end

    await_calls(rollout, report(rollout).calls + @calls_after)
    tell(screen, :stop)
    judge(rollout, news)
  end

  defp judge(rollout, news) do
    seen = on(rollout.cluster, rollout.caller, Walker, :stop, [rollout.walkers])
    wrong = on(rollout.cluster, rollout.caller, Walker, :verify, [rollout.walkers])
    moved = Enum.sum(for new <- news, do: length(sessions(rollout, new)))

    %{
      sessions: rollout.count,
      moved: moved,
      calls: seen.calls,
      failed: failed(seen),
      wrong: seen.wrong + wrong,
      lost: rollout.count - moved,
      worst_ms: Enum.max(seen.longest) / 1.0e6
    }
  end

  defp hosts(olds), do: for({old, _kind} <- olds, do: old)

  defp start(cluster, kind, name, version, settings \\ []) do
    settings = Keyword.merge([round_seconds: 0, app_version: version], settings)
    environment = [minotaur: settings]
    Cluster.start_node(cluster, kind: kind, name: :"#{name}@127.0.0.1", environment: environment)
  end

  defp sessions(rollout, node) do
    Cluster.genserver_call(rollout.cluster, rollout.caller, {SessionHost, node}, :sessions)
  end

  defp report(rollout) do
    on(rollout.cluster, rollout.caller, Walker, :report, [rollout.walkers])
  end

  defp await_calls(rollout, calls) do
    if report(rollout).calls < calls, do: await_calls(rollout, calls)
  end

  # However long it takes.
  defp on(cluster, node, module, function, arguments) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, module, function, arguments, :infinity)
  end

  # -- the screen: a process that is told what happens and asks the hosts how far they are

  defp tell(screen, event) do
    send(screen, {event, self()})
    receive do: ({^screen, :drawn} -> :ok)
  end

  defp watch(rollout, olds, live?) do
    rows = for {node, kind} <- olds, do: row(node, kind, @old_version)
    look(rollout, %{rows: rows, live?: live?, lines: 0, since_ms: now_ms(), began_ms: now_ms()})
  end

  defp look(rollout, screen) do
    receive do
      {event, from} ->
        screen = screen |> note(event) |> refresh(rollout) |> draw(rollout)
        send(from, {self(), :drawn})
        if event != :stop, do: look(rollout, screen)
    after
      @draw_ms -> look(rollout, screen |> refresh(rollout) |> draw_in_turn(rollout))
    end
  end

  defp row(node, kind, version) do
    [name, _host] = node |> Atom.to_string() |> String.split("@")
    kind = if kind == :c, do: "C", else: "BEAM"
    row = %{node: node, name: name, kind: kind, version: version}
    Map.merge(row, %{state: "serving", sessions: 0, most: 0})
  end

  defp note(screen, {:joins, node, kind}) do
    %{screen | rows: screen.rows ++ [row(node, kind, @new_version)]}
  end

  defp note(screen, {:leaves, node}), do: change(screen, node, "leaving")
  defp note(screen, {:left, node, status}), do: change(screen, node, "left, exit #{status}")
  defp note(screen, :stop), do: screen

  defp change(screen, node, state) do
    rows = for row <- screen.rows, do: if(row.node == node, do: %{row | state: state}, else: row)
    %{screen | rows: rows}
  end

  defp refresh(screen, rollout) do
    counts = for host <- known(rollout), into: %{}, do: {host.node, host.sessions}

    rows =
      for row <- screen.rows do
        sessions = if row.state =~ "exit", do: 0, else: Map.get(counts, row.node, row.sessions)
        %{row | sessions: sessions, most: max(row.most, sessions)}
      end

    %{screen | rows: rows}
  end

  defp known(rollout) do
    host = {SessionHost, rollout.caller}
    Cluster.genserver_call(rollout.cluster, rollout.caller, host, :hosts)
  end

  # Plain lines come once a second, and when something happens.
  defp draw_in_turn(%{live?: true} = screen, rollout), do: draw(screen, rollout)

  defp draw_in_turn(screen, rollout) do
    if now_ms() - screen.since_ms >= @line_ms, do: draw(screen, rollout), else: screen
  end

  defp draw(screen, rollout) do
    lines = if screen.live?, do: table(screen, rollout), else: [line(screen, rollout)]
    if screen.lines > 0 and screen.live?, do: IO.write("\e[#{screen.lines}A")
    for line <- lines, do: IO.puts(if(screen.live?, do: "\e[2K" <> line, else: line))
    %{screen | lines: length(lines), since_ms: now_ms()}
  end

  defp table(screen, rollout) do
    head = columns(["node", "kind", "version", "state", "sessions", "moved"])

    rows =
      for row <- screen.rows do
        columns([row.name, row.kind, row.version, row.state, row.sessions, moved(row)])
      end

    [head | rows] ++ ["", totals(screen, rollout)]
  end

  defp line(screen, rollout) do
    nodes = for row <- screen.rows, not (row.state =~ "exit"), do: "#{row.name} #{row.sessions}"
    Enum.join(nodes, ", ") <> "; " <> totals(screen, rollout)
  end

  # Away from an old host; what a new one has has moved to it.
  defp moved(%{version: @old_version} = row), do: row.most - row.sessions
  defp moved(_new), do: ""

  defp totals(screen, rollout) do
    seen = report(rollout)
    moved = Enum.sum(for %{version: @new_version} = row <- screen.rows, do: row.sessions)
    held = Enum.sum(for row <- screen.rows, do: row.sessions)

    "moved #{moved} of #{rollout.count}, in flight #{max(rollout.count - held, 0)}, " <>
      "calls #{seen.calls}, failed #{failed(seen)}, " <>
      "worst stall #{ms(Enum.max(seen.longest) / 1.0e6)}, " <>
      "#{div(now_ms() - screen.began_ms, 100) / 10} s"
  end

  defp columns([name, kind, version, state, sessions, moved]) do
    Enum.map_join([name, kind, version, state], &String.pad_trailing(&1, 14)) <>
      String.pad_leading("#{sessions}", 9) <> String.pad_leading("#{moved}", 9)
  end

  defp failed(seen), do: seen.failed |> Map.values() |> Enum.sum()
  defp ms(value), do: :erlang.float_to_binary(value / 1, decimals: 1) <> " ms"
  defp now_ms, do: System.monotonic_time(:millisecond)
end
