defmodule Minotaur.Cluster.Probe do
  @moduledoc """
  A process on a BEAM node of a test cluster that calls functions for a test and keeps every message
  it gets, exit signals included: monitors, links and subscriptions can belong to it.
  """

  use GenServer

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.TimeHelper

  @call_ms 20_000

  @doc "Starts a probe on a BEAM node."
  @spec start(pid, node) :: pid
  def start(cluster, node), do: Cluster.call(cluster, node, __MODULE__, :start_here, [])

  @doc "Applies a function in the probe: `{:ok, result}`, or `{kind, reason}` of what it raised."
  @spec run(pid, pid, module, atom, [term]) :: {:ok, term} | {:error | :exit | :throw, term}
  def run(cluster, probe, module, function, arguments) do
    call(cluster, probe, {:run, module, function, arguments})
  end

  @doc "As `run/5`, but the function must return: answers its result."
  @spec run!(pid, pid, module, atom, [term]) :: term
  def run!(cluster, probe, module, function, arguments) do
    {:ok, result} = run(cluster, probe, module, function, arguments)
    result
  end

  @doc "The messages so far, in their order."
  @spec messages(pid, pid) :: [term]
  def messages(cluster, probe), do: call(cluster, probe, :messages)

  @doc "Waits until the probe has got this message."
  @spec await(pid, pid, term) :: true
  def await(cluster, probe, message) do
    TimeHelper.wait_until(fn -> true = message in messages(cluster, probe) end)
  end

  @doc "How many packets this node has got from `other`, ticks included. Runs on a BEAM node."
  @spec packets_from(node) :: non_neg_integer
  def packets_from(other) do
    {^other, socket} = List.keyfind(:erlang.system_info(:dist_ctrl), other, 0)
    {:ok, [recv_cnt: count]} = :inet.getstat(socket, [:recv_cnt])
    count
  end

  @doc "Applies a function on `other` by `:erpc.send_request/4`. Runs in a probe."
  @spec request(node, module, atom, [term]) :: term
  def request(other, module, function, arguments) do
    id = :erpc.send_request(other, module, function, arguments)
    {:response, result} = :erpc.wait_response(id, @call_ms)
    result
  end

  @doc "As `request/4`, by `:rpc.async_call/4`."
  @spec async(node, module, atom, [term]) :: term
  def async(other, module, function, arguments) do
    :rpc.yield(:rpc.async_call(other, module, function, arguments))
  end

  @doc "A `GenServer.call/2` whose messages carry a trace token. Runs in a probe."
  @spec traced_call(GenServer.server(), term) :: term
  def traced_call(server, request) do
    :seq_trace.set_token(:label, 17)
    answer = GenServer.call(server, request)
    :seq_trace.set_token([])
    answer
  end

  @doc "Applies a function; what it sends carries a trace token. Runs in a probe."
  @spec traced(module, atom, [term]) :: term
  def traced(module, function, arguments) do
    :seq_trace.set_token(:label, 17)
    result = apply(module, function, arguments)
    :seq_trace.set_token([])
    result
  end

  @doc "Links a new process of this node to `pid`, which then ends with a trace token."
  @spec end_linked(pid, term) :: pid
  def end_linked(pid, reason) do
    spawn(fn ->
      Process.link(pid)
      traced(Kernel, :send, [pid, :linked])
      :seq_trace.set_token(:label, 17)
      exit(reason)
    end)
  end

  @doc "Starts a server that answers calls with a trace token, and echoes."
  @spec start_traced_echo :: pid
  def start_traced_echo, do: spawn(&traced_echo/0)

  defp traced_echo do
    receive do
      {:"$gen_call", from, request} -> traced(GenServer, :reply, [from, {:echo, request}])
    end

    traced_echo()
  end

  @doc false
  def start_here do
    {:ok, probe} = GenServer.start(__MODULE__, [])
    probe
  end

  @impl true
  def init(messages) do
    Process.flag(:trap_exit, true)
    {:ok, messages}
  end

  @impl true
  def handle_call({:run, module, function, arguments}, _from, messages) do
    {:reply, attempt(module, function, arguments), messages}
  end

  def handle_call(:messages, _from, messages), do: {:reply, Enum.reverse(messages), messages}

  @impl true
  def handle_info(message, messages), do: {:noreply, [message | messages]}

  @doc "Applies a function here: `{:ok, result}`, or `{kind, reason}` of what it raised."
  @spec attempt(module, atom, [term]) :: {:ok, term} | {:error | :exit | :throw, term}
  def attempt(module, function, arguments) do
    {:ok, apply(module, function, arguments)}
  catch
    kind, reason -> {kind, reason}
  end

  defp call(cluster, probe, request) do
    arguments = [probe, request, @call_ms]
    Cluster.call(cluster, node(probe), GenServer, :call, arguments)
  end
end
