defmodule Minotaur.Bench.Sessions do
  @moduledoc """
  Idle sessions on one node: how fast they start, and what they cost in memory.

  A caller starts them over rpc, as fast as it can: by `create_games`, a hundred in a call, or one
  by one by `create_game`. When it is hidden, the node's `:global` has no other member: each BEAM
  node that is one needs, for each name, time in proportion to how many names the owner's node has
  already.
  """

  alias Minotaur.Bench.{Os, Report}
  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}

  @users for n <- 1..4, do: %{id: "user-#{n}", display_name: "Player #{n}"}
  @callers 8
  @requests 64
  @batch_requests 1
  @batch 100
  @settle_ms 500
  @environment [minotaur: [round_seconds: 0, capacity: 2_000_000]]
  @beam_arguments ~w(+S 2:2 +P 4000000)

  # Which node, alone in :global or with the caller, how many in a call, how many in all.
  @rows [
    {:c, :alone, @batch, 1_000_000},
    {:c, :alone, 1, 200_000},
    {:beam, :alone, @batch, 20_000},
    {:beam, :alone, 1, 20_000},
    {:c, :member, 1, 10_000},
    {:beam, :member, 1, 10_000}
  ]
  @quick_part 20

  @goal_bytes 4_000_000_000
  @goal_rate 100_000

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    load = Os.load()
    part = if options[:quick], do: @quick_part, else: 1
    rows = for {kind, alone, batch, count} <- @rows, do: row(kind, alone, batch, div(count, part))
    Report.head(load, conditions()) ++ goals(hd(rows)) ++ table(rows)
  end

  defp row(kind, alone, batch, count) do
    Report.say("#{kind}, #{alone}: #{count} sessions, #{batch} in a call")
    {:ok, cluster} = Manager.start_link(%{})

    try do
      node = start(cluster, kind: kind, environment: @environment)
      caller = start(cluster, kind: :beam, applications: [], hidden: alone == :alone)

      measure(cluster, node, caller, batch, count)
      |> Map.merge(%{kind: kind, alone: alone, batch: batch, count: count})
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  defp start(cluster, options) do
    arguments = if options[:kind] == :beam, do: @beam_arguments, else: []
    Cluster.start_node(cluster, [arguments: arguments] ++ options)
  end

  defp measure(cluster, node, caller, batch, count) do
    os_pid = Cluster.os_pid(cluster, node)
    before = %{bytes: Os.resident_bytes(os_pid), cpu: Os.cpu_ns(os_pid)}
    {:ok, peer} = Manager.route(cluster, caller)
    us = :peer.call(peer, __MODULE__, :start_all, [node, batch, count], :infinity)
    cpu = Os.cpu_ns(os_pid) - before.cpu
    Process.sleep(@settle_ms)
    bytes = Os.resident_bytes(os_pid)
    ^count = :peer.call(peer, __MODULE__, :count, [node], :infinity)
    figures = %{us: us, cpu: cpu, bytes: bytes - before.bytes, resident: bytes}
    Report.say("  #{inspect(figures)}")
    figures
  end

  # -- on the calling node

  @doc "Starts `count` sessions on `node`, `batch` in a call; answers in how many microseconds."
  @spec start_all(node, pos_integer, pos_integer) :: pos_integer
  def start_all(node, batch, count) do
    calls = div(count, batch)
    shares = for n <- 1..@callers, do: div(calls + n - 1, @callers)
    ask = fn -> ask(node, batch) end
    requests = if batch == 1, do: @requests, else: @batch_requests

    {us, :ok} =
      :timer.tc(fn ->
        shares
        |> Enum.map(&Task.async(fn -> start_share(ask, requests, &1, :queue.new(), 0) end))
        |> Enum.each(&Task.await(&1, :infinity))
      end)

    us
  end

  @doc "How many sessions the host of `node` has."
  @spec count(node) :: non_neg_integer
  def count(node), do: GenServer.call({SessionHost, node}, :info, 60_000).sessions

  defp ask(node, 1), do: :erpc.send_request(node, GameEngine, :create_game, [nil, @users])

  defp ask(node, batch) do
    :erpc.send_request(node, GameEngine, :create_games, [List.duplicate({nil, @users}, batch)])
  end

  # So many requests are under way; the oldest is waited for first.
  defp start_share(_ask, _requests, 0, _waiting, 0), do: :ok

  defp start_share(ask, requests, left, waiting, open) when left > 0 and open < requests do
    start_share(ask, requests, left - 1, :queue.in(ask.(), waiting), open + 1)
  end

  defp start_share(ask, requests, left, waiting, open) do
    {{:value, request}, waiting} = :queue.out(waiting)

    for answer <- List.wrap(:erpc.receive_response(request, :infinity)) do
      {:ok, _pid} = answer
    end

    start_share(ask, requests, left, waiting, open - 1)
  end

  # -- the report

  defp conditions do
    [
      """
      Sessions of new games (37 hexes, four players) are started over rpc from a BEAM node that \
      shares the two processors: by `create_games`, #{@callers * @batch_requests} calls of \
      #{@batch} games under way at a time, or by `create_game`, #{@callers * @requests} calls. \
      Every session has its name in `:global`. *alone*: the caller is hidden, so no other node has \
      the names; *with a member*: the caller is a visible BEAM node and has them too. OTP's \
      `:global` keeps the names of one node in a bag under one key and looks through all of them \
      for each change, so a million names of one node would take a BEAM member hours. \
      Memory is the resident size less that before.\
      """
    ]
  end

  defp goals(row) do
    rate = rate(row)

    Report.table(
      [
        "C node alone, #{row.count} sessions, #{row.batch} in a call",
        "asked",
        "measured",
        "reached"
      ],
      [
        [
          "memory, GB",
          "≤ 4",
          Report.number(row.resident / 1.0e9, 2),
          reached(row.resident <= @goal_bytes)
        ],
        ["starts/s", "≥ #{@goal_rate}", Report.number(rate, 0), reached(rate >= @goal_rate)]
      ]
    )
  end

  defp reached(true), do: "yes"
  defp reached(false), do: "**no**"

  defp table(rows) do
    head = [
      "node",
      "`:global`",
      "in a call",
      "sessions",
      "starts/s",
      "server CPU µs/start",
      "kB/session",
      "GB"
    ]

    lines =
      for row <- rows do
        [
          if(row.kind == :c, do: "C", else: "BEAM"),
          if(row.alone == :alone, do: "alone", else: "with a member"),
          "#{row.batch}",
          "#{row.count}",
          Report.number(rate(row), 0),
          Report.number(row.cpu / row.count / 1_000, 1),
          Report.number(row.bytes / row.count / 1_000, 2),
          Report.number(row.resident / 1.0e9, 2)
        ]
      end

    Report.table(head, lines)
  end

  defp rate(row), do: row.count / row.us * 1.0e6
end
