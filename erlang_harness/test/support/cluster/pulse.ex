defmodule Minotaur.Cluster.Pulse do
  @moduledoc """
  How long the calls of an honest node take while somebody else misbehaves.

  Two processes of one BEAM node call all the time, each one server: one on the node under attack,
  one on a node that nobody touches. The second one is the measure of what the machine itself does
  to a call just then.

  A call has two figures, both without what the kernel gave to others meanwhile (`schedstat`): how
  long the called node *ran* between request and answer, which is its own doing on any machine and
  is held to the bound of the issue, and how long the call *took*, which also shows a node that
  sleeps where it must not, but in which each pause of the caller or of the machine itself shows
  as well: it is held to ten times as much above the other node's.
  """

  import ExUnit.Assertions, only: [flunk: 1]
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  @tries 3

  # What an allocator may keep.
  @kept_kb 24 * 1_024

  @typedoc "A server, and the process of the operating system that its node is."
  @type patient :: {GenServer.server(), pos_integer}

  @typedoc "The highest figures of a patient's calls, in milliseconds."
  @type slowest :: %{ran: float, took: float}

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
  Runs `fun` while `node` calls both servers with `request`: what `fun` gave, and what the slowest
  calls to the one and to the other needed.
  """
  @spec during(pid, node, patient, patient, term, function) :: {term, slowest, slowest}
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
  Asserts that `what` stalls nobody, and gives its result: 100 ms are allowed, and more to a node
  with sanitizers, which is many times slower. `measure` gives what `during/6` does. It is tried
  again when a figure is too high: a slow memory or a neighbour on the same core is in no
  `schedstat`, while what a node has to do for a peer it does each time. With `HOSTILE_SHOW` set it
  prints the figures.
  """
  @spec assert_no_stall(String.t(), function, pos_integer) :: term
  def assert_no_stall(what, measure, tries \\ @tries) do
    {result, slowest, elsewhere} = measure.()
    said = "#{what}: #{inspect(slowest)} ms, elsewhere #{inspect(elsewhere)}"
    if System.get_env("HOSTILE_SHOW"), do: IO.puts(said)
    stall_ms = if sanitized?(), do: 2_000, else: 100

    cond do
      slowest.ran <= stall_ms and slowest.took <= elsewhere.took + 10 * stall_ms -> result
      tries > 1 -> assert_no_stall(what, measure, tries - 1)
      true -> flunk(said)
    end
  end

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
        call = fn -> timed_call(server, os_pid, request) end
        call.()
        send(me, {:beats, self()})
        beat(call, %{ran: 0.0, took: 0.0})
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
      {:stop, asker} -> send(asker, {self(), slower(slowest, call.())})
    after
      1 -> beat(call, slower(slowest, call.()))
    end
  end

  defp slower(one, other), do: Map.merge(one, other, fn _figure, a, b -> max(a, b) end)

  defp timed_call(server, os_pid, request) do
    {ran_before, waited_before} = scheduled_ns(os_pid)
    {us, _reply} = :timer.tc(GenServer, :call, [server, request, 60_000])
    {ran, waited} = scheduled_ns(os_pid)
    %{ran: (ran - ran_before) / 1.0e6, took: us / 1_000 - (waited - waited_before) / 1.0e6}
  end

  # How long its main thread has run, and has been ready to run and did not.
  defp scheduled_ns(os_pid) do
    [ran, waited, _times] =
      "/proc/#{os_pid}/task/#{os_pid}/schedstat" |> File.read!() |> String.split()

    {String.to_integer(ran), String.to_integer(waited)}
  end
end
