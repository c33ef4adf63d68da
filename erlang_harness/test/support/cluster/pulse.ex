defmodule Minotaur.Cluster.Pulse do
  @moduledoc """
  How long the calls of an honest node take while somebody else misbehaves.

  Two processes of one BEAM node call all the time, each one server: one on the node under attack,
  one on a node that nobody touches. The second one is the measure of what the machine itself does
  to a call just then. From each call is taken off how long the node was ready to run meanwhile and
  the kernel let others run (its `schedstat`), so that a busy machine fails no test.
  """

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  # What an allocator may keep.
  @kept_kb 24 * 1_024

  @typedoc "A server, and the process of the operating system that its node is."
  @type patient :: {GenServer.server(), pos_integer}

  @doc """
  Starts who calls, the BEAM node `a`, and who is called: a C node `c` with the session of a game
  without a timer, and the node `echo`. The two servers are the patients `session` and `echoing`.
  """
  @spec start_nodes(pid) :: keyword
  def start_nodes(cluster) do
    a = Cluster.start_node(cluster, kind: :beam, applications: [])
    c = Cluster.start_node(cluster, kind: :c, environment: [minotaur: [round_seconds: 0]])
    echo = Cluster.start_node(cluster, kind: :echo)
    continue = [c, GameEngine, :continue_game, [game_fixture(round_end_time: nil)]]
    {:ok, session} = Cluster.call(cluster, a, :erpc, :call, continue)

    [
      cluster: cluster,
      a: a,
      c: c,
      echo: echo,
      session: {session, Cluster.os_pid(cluster, c)},
      echoing: {{:conformance_echo, echo}, Cluster.os_pid(cluster, echo)}
    ]
  end

  @doc """
  Runs `fun` while `node` calls both servers with `request`: `{result, slowest, slowest_elsewhere}`
  in milliseconds.
  """
  @spec during(pid, node, patient, patient, term, function) :: {term, float, float}
  def during(cluster, node, patient, elsewhere, request, fun) do
    start = fn {server, os_pid} ->
      Cluster.call(cluster, node, __MODULE__, :start_here, [server, os_pid, request])
    end

    pulses = for patient <- [patient, elsewhere], do: start.(patient)
    result = fun.()

    [slowest, slowest_elsewhere] =
      for pulse <- pulses, do: Cluster.call(cluster, node, __MODULE__, :stop_here, [pulse])

    {result, slowest, slowest_elsewhere}
  end

  @doc """
  What the slowest call may take longer than the slowest one elsewhere: what the issue asks for, and
  more for a node with sanitizers, which is many times slower.
  """
  @spec stall_ms :: pos_integer
  def stall_ms, do: if(sanitized?(), do: 2_000, else: 100)

  @doc "The resident memory of a process of the operating system in kB."
  @spec resident_kb(pos_integer) :: pos_integer
  def resident_kb(os_pid) do
    status = File.read!("/proc/#{os_pid}/status")
    [_, kb] = Regex.run(~r/^VmRSS:\s+(\d+) kB$/m, status)
    String.to_integer(kb)
  end

  @doc """
  Waits until a node has not much more memory than it had. Nodes with sanitizers keep what was freed
  in quarantine, so nothing is asked of them.
  """
  @spec await_memory(pos_integer, pos_integer) :: true
  def await_memory(os_pid, before_kb) do
    wait_until(
      fn -> true = sanitized?() or resident_kb(os_pid) <= before_kb + @kept_kb end,
      20_000
    )
  end

  @doc "Whether the nodes run with sanitizers."
  @spec sanitized? :: boolean
  def sanitized?, do: System.get_env("ASAN_OPTIONS") != nil

  @doc "Sends so many atoms to a process that no other node has seen, and calls it. Runs on a BEAM."
  @spec send_atoms(pid, pos_integer) :: :ok
  def send_atoms(pid, count) do
    for first <- 1..count//100 do
      send(pid, for(n <- first..(first + 99), do: :"of_a_beam_#{n}"))
    end

    _game = GenServer.call(pid, :get_game, 60_000)
    :ok
  end

  # Comes back when the first call was answered.
  @doc false
  def start_here(server, os_pid, request) do
    me = self()

    pulse =
      spawn(fn ->
        call = fn -> call_ms(server, os_pid, request) end
        call.()
        send(me, {:beats, self()})
        beat(call, 0)
      end)

    receive do
      {:beats, ^pulse} -> pulse
    end
  end

  # Calls once more, so that what was done before is behind it.
  @doc false
  def stop_here(pulse) do
    ref = Process.monitor(pulse)
    send(pulse, {:stop, self()})

    receive do
      {^pulse, slowest} -> slowest
      {:DOWN, ^ref, _, _, reason} -> exit(reason)
    end
  end

  defp beat(call, slowest) do
    receive do
      {:stop, asker} -> send(asker, {self(), max(slowest, call.())})
    after
      1 -> beat(call, max(slowest, call.()))
    end
  end

  defp call_ms(server, os_pid, request) do
    waited = waited_ns(os_pid)
    {us, _reply} = :timer.tc(GenServer, :call, [server, request, 60_000])
    us / 1_000 - (waited_ns(os_pid) - waited) / 1_000_000
  end

  # How long its main thread has been ready to run and did not.
  defp waited_ns(os_pid) do
    [_ran, waited, _times] =
      "/proc/#{os_pid}/task/#{os_pid}/schedstat" |> File.read!() |> String.split()

    String.to_integer(waited)
  end
end
