defmodule :conformance_echo do
  @moduledoc """
  What `cnode-echo` is, on the BEAM: the same contract, kept by GenServer itself. Each behaviour
  that the tests ask of the C node is thereby proved to be the BEAM's own.

  The name is that of the contract, which asks for functions of this module on both.
  """

  use GenServer

  @doc "Starts the process that the contract names; it outlives its starter."
  @spec start :: GenServer.on_start()
  def start, do: GenServer.start(__MODULE__, [], name: __MODULE__)

  @doc "Gives its argument back."
  @spec echo(term) :: term
  def echo(term), do: term

  @doc "Fails with its argument."
  @spec fail(term) :: no_return
  def fail(reason), do: :erlang.error(reason)

  # The state is the inbox, newest first.
  @impl true
  def init(inbox), do: {:ok, inbox}

  @impl true
  def handle_call({:inbox}, _from, inbox), do: {:reply, Enum.reverse(inbox), []}
  def handle_call({:noreply}, _from, inbox), do: {:noreply, inbox}
  def handle_call({:exit, reason}, _from, inbox), do: {:stop, reason, :ok, inbox}
  def handle_call({:crash, reason}, _from, inbox), do: {:stop, reason, inbox}

  def handle_call({:sleep_echo, ms, term}, from, inbox) do
    Process.send_after(self(), {__MODULE__, :wake, from, term}, ms)
    {:noreply, inbox}
  end

  def handle_call(request, _from, inbox), do: {:reply, answer(request), inbox}

  @impl true
  def handle_cast(message, inbox), do: {:noreply, [{:cast, message} | inbox]}

  @impl true
  def handle_info({__MODULE__, :wake, from, term}, inbox) do
    GenServer.reply(from, {:echo, term})
    {:noreply, inbox}
  end

  def handle_info(message, inbox), do: {:noreply, [{:info, message} | inbox]}

  defp answer({:start_target}), do: GenServer.start(__MODULE__, [])
  defp answer({:whoami}), do: self()
  defp answer({:make_ref}), do: make_ref()
  defp answer({:nodes}), do: Node.list(:connected)
  defp answer({:blob, size}), do: {:blob, blob(size)}
  defp answer({:call, dest, request, ms}), do: call(dest, request, ms)
  defp answer({:monitor, dest}), do: {:ok, Process.monitor(dest)}
  defp answer({:send, dest, term}), do: ok(send(dest, term))
  defp answer({:demonitor, ref}), do: ok(Process.demonitor(ref, [:flush]))
  defp answer({:link_me, pid}), do: ok(Process.link(pid))
  defp answer({:unlink_me, pid}), do: ok(Process.unlink(pid))
  defp answer({:trap_exit, trap?}), do: ok(Process.flag(:trap_exit, trap?))
  defp answer({:exit_signal, pid, reason}), do: ok(Process.exit(pid, reason))
  defp answer({:global_register, name}), do: :global.register_name(name, self())
  defp answer({:global_unregister, name}), do: ok(:global.unregister_name(name))
  defp answer({:global_whereis, name}), do: :global.whereis_name(name)
  defp answer(request), do: {:echo, request}

  defp ok(_result), do: :ok

  defp call(dest, request, ms) do
    {:ok, GenServer.call(dest, request, ms)}
  catch
    :exit, {reason, {GenServer, :call, _arguments}} -> {:exit, reason}
  end

  defp blob(size) do
    period = :binary.list_to_bin(Enum.to_list(0..250))
    period |> :binary.copy(div(size, 251) + 1) |> binary_part(0, size)
  end
end
