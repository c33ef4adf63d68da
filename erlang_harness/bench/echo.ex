defmodule Minotaur.Bench.Echo do
  @moduledoc """
  What `cnode-echo` does, as far as the streams need it, as a GenServer of a BEAM node.
  """

  use GenServer

  @name :conformance_echo
  @period 251

  @doc "Starts it, registered, not linked to whoever asks."
  @spec start :: pid
  def start do
    {:ok, pid} = GenServer.start(__MODULE__, [], name: @name)
    pid
  end

  @doc "What `{blob, size}` answers: the byte at offset I is `I rem #{@period}`."
  @spec blob(non_neg_integer) :: binary
  def blob(size) do
    period = :binary.list_to_bin(Enum.to_list(0..(@period - 1)))
    binary_part(:binary.copy(period, div(size, @period) + 1), 0, size)
  end

  @impl true
  def init(inbox), do: {:ok, inbox}

  @impl true
  def handle_call({:whoami}, _from, inbox), do: {:reply, self(), inbox}
  def handle_call({:inbox}, _from, inbox), do: {:reply, Enum.reverse(inbox), []}
  def handle_call({:blob, size}, _from, inbox), do: {:reply, {:blob, blob(size)}, inbox}

  def handle_call({:send, to, message}, _from, inbox) do
    send(to, message)
    {:reply, :ok, inbox}
  end

  @impl true
  def handle_cast(message, inbox), do: {:noreply, [{:cast, message} | inbox]}

  @impl true
  def handle_info(message, inbox), do: {:noreply, [{:info, message} | inbox]}
end
