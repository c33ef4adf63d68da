defmodule Minotaur.Bench.Caller do
  @moduledoc """
  What runs on a calling BEAM node: processes that call sessions one call after the other, and a
  coordinator of the highest priority that reads the counters at both ends of a window.

  In a *window* (`measure/1`) the callers repeat one request; calls before it are warm-up. In a
  *play* (`play/1`) each caller plays games of its own, from the first call to the last.
  """

  alias Minotaur.Bench.{Histogram, Os}
  alias Minotaur.GameEngine.NewGame
  alias Minotaur.{SessionHost, Walker}

  @warming 0
  @measuring 1
  @over 2
  @users for n <- 1..4, do: %{id: "user-#{n}", display_name: "Player #{n}"}
  @round_seconds 3_600
  @starts_at_once 16
  @start_ms 30_000

  @type server :: %{node: node, os_pid: pos_integer}
  @type session :: {pid, struct}
  @type result :: %{
          latencies: Histogram.t(),
          calls: non_neg_integer,
          from: integer,
          to: integer,
          cpu_from: integer,
          cpu_to: integer,
          own_cpu: integer,
          wire_bytes: integer
        }

  @doc "Starts `count` sessions of new games (37 hexes, four players) on the server."
  @spec start_sessions(server, pos_integer) :: [session]
  def start_sessions(server, count) do
    1..count
    |> Task.async_stream(fn _n -> start_session(server) end,
      max_concurrency: @starts_at_once,
      timeout: @start_ms
    )
    |> Enum.map(fn {:ok, session} -> session end)
  end

  @doc "Ends sessions, and returns when they have ended."
  @spec end_sessions([session]) :: :ok
  def end_sessions(sessions) do
    monitors = for {pid, _game} <- sessions, do: Process.monitor(pid)
    for {pid, _game} <- sessions, do: send(pid, :end_session)
    for monitor <- monitors, do: receive(do: ({:DOWN, ^monitor, _, _, :normal} -> :ok))
    :ok
  end

  @doc """
  Calls the sessions with `request` from `callers` processes, from now until `window_ms` after the
  moment `start_at` (nanoseconds of the system's clock), where the window begins. On a slow machine
  the window lasts until there has been a call for each caller.
  """
  @spec measure(map) :: result
  def measure(plan) do
    Process.flag(:priority, :max)
    phase = :atomics.new(2, [])
    pids = for {pid, _game} <- plan.sessions, do: pid

    callers =
      for n <- 1..plan.callers do
        pid = Enum.at(pids, rem(n, length(pids)))
        start_caller(fn -> repeat(pid, plan.request, phase, []) end)
      end

    wait_until(plan.start_at)
    before = read(plan.server)
    :atomics.put(phase, 1, @measuring)
    wait_until(plan.start_at + plan.window_ms * 1_000_000)
    await_calls(phase, plan.callers)
    :atomics.put(phase, 1, @over)
    now = read(plan.server)
    result(before, now, await(callers))
  end

  @doc """
  Plays: each of `callers` processes plays its share of the sessions for `rounds` rounds, a move of
  each of the four players and `:end_round`, forth and back. Starts at `start_at`.
  """
  @spec play(map) :: result
  def play(plan) do
    Process.flag(:priority, :max)
    shares = plan.sessions |> Enum.chunk_every(div(length(plan.sessions), plan.callers))

    callers =
      for share <- shares do
        scripts = for {pid, game} <- share, do: {pid, Walker.script(game)}
        start_caller(fn -> receive(do: (:go -> play_all(scripts, plan.rounds))) end)
      end

    wait_until(plan.start_at)
    before = read(plan.server)
    for {pid, _monitor} <- callers, do: send(pid, :go)
    histogram = await(callers)
    result(before, read(plan.server), histogram)
  end

  @doc "How many bytes have come from the node on this node's connection with it."
  @spec bytes_from(node) :: non_neg_integer
  def bytes_from(node) do
    {^node, port} = List.keyfind(:erlang.system_info(:dist_ctrl), node, 0)
    {:ok, [recv_oct: bytes]} = :inet.getstat(port, [:recv_oct])
    bytes
  end

  defp start_session(server) do
    {:ok, game} = NewGame.create(@users, DateTime.utc_now(), @round_seconds)
    host = {SessionHost, server.node}
    {:ok, pid} = GenServer.call(host, {:start_session, nil, game}, @start_ms)
    ^game = GenServer.call(pid, :get_game)
    {pid, game}
  end

  # The caller ends with its histogram as the reason.
  defp start_caller(fun), do: spawn_monitor(fn -> exit({:calls, Histogram.new(fun.())}) end)

  defp await(callers) do
    Histogram.merge(
      for {_pid, monitor} <- callers do
        receive do
          {:DOWN, ^monitor, _, _, {:calls, histogram}} -> histogram
          {:DOWN, ^monitor, _, _, reason} -> exit({:caller_failed, reason})
        end
      end
    )
  end

  defp repeat(pid, request, phase, durations) do
    from = now_ns()
    GenServer.call(pid, request)
    duration = now_ns() - from

    case :atomics.get(phase, 1) do
      @warming -> repeat(pid, request, phase, durations)
      @measuring -> count(pid, request, phase, [duration | durations])
      @over -> durations
    end
  end

  defp count(pid, request, phase, durations) do
    :atomics.add(phase, 2, 1)
    repeat(pid, request, phase, durations)
  end

  defp await_calls(phase, wanted) do
    if :atomics.get(phase, 2) < wanted do
      wait_until(System.os_time(:nanosecond) + 10_000_000)
      await_calls(phase, wanted)
    end
  end

  defp play_all(scripts, rounds) do
    for {pid, script} <- scripts,
        round <- 1..rounds,
        request <- requests(script, round),
        do: timed(pid, request)
  end

  defp requests(script, round) do
    moves =
      for {user, forth, back} <- script do
        {:register_move, user, if(rem(round, 2) == 1, do: forth, else: back)}
      end

    moves ++ [:end_round]
  end

  defp timed(pid, request) do
    from = now_ns()
    answer = GenServer.call(pid, request)
    duration = now_ns() - from
    check(request, answer)
    duration
  end

  defp check(:end_round, %{status: :active}), do: :ok
  defp check({:register_move, _user, _vector}, {:ok, %{status: :active}}), do: :ok

  defp read(server) do
    %{
      at: System.os_time(:nanosecond),
      cpu: Os.cpu_ns(server.os_pid),
      own_cpu: Os.cpu_ns(System.pid()),
      bytes: bytes_from(server.node)
    }
  end

  defp result(before, now, latencies) do
    %{
      latencies: latencies,
      calls: Histogram.count(latencies),
      from: before.at,
      to: now.at,
      cpu_from: before.cpu,
      cpu_to: now.cpu,
      own_cpu: now.own_cpu - before.own_cpu,
      wire_bytes: now.bytes - before.bytes
    }
  end

  defp wait_until(at) do
    receive do
    after
      max(div(at - System.os_time(:nanosecond), 1_000_000), 0) -> :ok
    end
  end

  defp now_ns, do: System.monotonic_time(:nanosecond)
end
