defmodule Minotaur.Bench.Sessions do
  @moduledoc """
  Idle sessions on one node: how fast they start, and what they cost in memory.

  A caller starts them by `create_game` over rpc, as fast as it can. When it is hidden, the node's
  `:global` has no other member: each BEAM node that is one needs, for each name, time in proportion
  to how many names the owner's node has already.
  """

  alias Minotaur.Bench.{Os, Report}
  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}

  @users for n <- 1..4, do: %{id: "user-#{n}", display_name: "Player #{n}"}
  @callers 8
  @requests 64
  @settle_ms 500
  @environment [minotaur: [round_seconds: 0, capacity: 2_000_000]]
  @beam_arguments ~w(+S 2:2 +P 4000000)

  # Which node, alone in :global or with the caller, how many.
  @rows [
    {:c, :alone, 1_000_000},
    {:beam, :alone, 20_000},
    {:c, :member, 10_000},
    {:beam, :member, 10_000}
  ]
  @quick_part 20

  @goal_bytes 4_000_000_000
  @goal_rate 100_000

  @doc "Measures, and answers the report as lines of Markdown."
  @spec run(map) :: [String.t()]
  def run(options) do
    load = Os.load()
    part = if options[:quick], do: @quick_part, else: 1
    rows = for {kind, alone, count} <- @rows, do: row(kind, alone, div(count, part))
    Report.head(load, conditions()) ++ goals(hd(rows)) ++ table(rows)
  end

  defp row(kind, alone, count) do
    Report.say("#{kind}, #{alone}: #{count} sessions")
    {:ok, cluster} = Manager.start_link(%{})

    try do
      node = start(cluster, kind: kind, environment: @environment)
      caller = start(cluster, kind: :beam, applications: [], hidden: alone == :alone)

      measure(cluster, node, caller, count)
      |> Map.merge(%{kind: kind, alone: alone, count: count})
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  defp start(cluster, options) do
    arguments = if options[:kind] == :beam, do: @beam_arguments, else: []
    Cluster.start_node(cluster, [arguments: arguments] ++ options)
  end

  defp measure(cluster, node, caller, count) do
    os_pid = Cluster.os_pid(cluster, node)
    before = %{bytes: Os.resident_bytes(os_pid), cpu: Os.cpu_ns(os_pid)}
    {:ok, peer} = Manager.route(cluster, caller)
    us = :peer.call(peer, __MODULE__, :start_all, [node, count], :infinity)
    cpu = Os.cpu_ns(os_pid) - before.cpu
    Process.sleep(@settle_ms)
    bytes = Os.resident_bytes(os_pid)
    ^count = :peer.call(peer, __MODULE__, :count, [node], :infinity)
    figures = %{us: us, cpu: cpu, bytes: bytes - before.bytes, resident: bytes}
    Report.say("  #{inspect(figures)}")
    figures
  end

  # -- on the calling node

  @doc "Starts `count` sessions on `node`; answers how many microseconds that took."
  @spec start_all(node, pos_integer) :: pos_integer
  def start_all(node, count) do
    shares = for n <- 1..@callers, do: div(count + n - 1, @callers)

    {us, :ok} =
      :timer.tc(fn ->
        shares
        |> Enum.map(&Task.async(fn -> start_share(node, &1, :queue.new(), 0) end))
        |> Enum.each(&Task.await(&1, :infinity))
      end)

    us
  end

  @doc "How many sessions the host of `node` has."
  @spec count(node) :: non_neg_integer
  def count(node), do: GenServer.call({SessionHost, node}, :info, 60_000).sessions

  # So many requests are under way; the oldest is waited for first.
  defp start_share(_node, 0, _waiting, 0), do: :ok

  defp start_share(node, left, waiting, open) when left > 0 and open < @requests do
    request = :erpc.send_request(node, GameEngine, :create_game, [nil, @users])
    start_share(node, left - 1, :queue.in(request, waiting), open + 1)
  end

  defp start_share(node, left, waiting, open) do
    {{:value, request}, waiting} = :queue.out(waiting)
    {:ok, _pid} = :erpc.receive_response(request)
    start_share(node, left, waiting, open - 1)
  end

  # -- the report

  defp conditions do
    [
      """
      Sessions of new games (37 hexes, four players) are started by `create_game` over rpc, \
      #{@callers * @requests} calls under way at a time, from a BEAM node that shares the \
      two processors. Every session has its name in `:global`. *alone*: the caller is hidden, so \
      no other node has the names; *with a member*: the caller is a visible BEAM node and has them \
      too. OTP's `:global` keeps the names of one node in a bag under one key and looks through \
      all of them for each change, so a million names of one node would take a BEAM member hours. \
      Memory is the resident size less that before.\
      """
    ]
  end

  defp goals(row) do
    rate = rate(row)

    Report.table(["C node alone, #{row.count} sessions", "asked", "measured", "reached"], [
      [
        "memory, GB",
        "≤ 4",
        Report.number(row.resident / 1.0e9, 2),
        reached(row.resident <= @goal_bytes)
      ],
      ["starts/s", "≥ #{@goal_rate}", Report.number(rate, 0), reached(rate >= @goal_rate)]
    ])
  end

  defp reached(true), do: "yes"
  defp reached(false), do: "**no**"

  defp table(rows) do
    head = [
      "node",
      "`:global`",
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
