defmodule Minotaur.BackPressureHelper do
  @moduledoc """
  More than a node reads, and how fast others are served meanwhile.
  """

  alias Minotaur.Cluster.RawPeer
  alias Minotaur.ClusterHelper, as: Cluster

  @ask_ms 30_000
  @frames 100

  # What follows runs on the driver.

  @doc """
  Asks `server` to send `count` messages `{n, blob}` to `dest`, without waiting for its answers.
  """
  @spec flood(GenServer.server(), term, pos_integer, pos_integer) :: :ok
  def flood(server, dest, count, bytes) do
    blob = :binary.copy("b", bytes)

    for n <- 1..count do
      send(server, {:"$gen_call", {self(), make_ref()}, {:send, dest, {n, blob}}})
    end

    :ok
  end

  @doc "What an echo server has got, each as `{n, bytes}`, once there are `count` of them."
  @spec arrived(GenServer.server(), pos_integer) :: [{pos_integer, pos_integer}]
  def arrived(server, count, got \\ [], tries \\ 3_000)
  def arrived(_server, _count, got, 0), do: got

  def arrived(server, count, got, tries) do
    inbox = GenServer.call(server, {:inbox}, @ask_ms)
    got = got ++ for {:info, {n, blob}} <- inbox, do: {n, byte_size(blob)}

    if length(got) < count do
      receive do
      after
        10 -> arrived(server, count, got, tries - 1)
      end
    else
      got
    end
  end

  @doc "What of `flood/4` waits in the mailbox of `server`, as `{n, bytes}`, and all else as it is."
  @spec shown(:rpc | :erpc, pid) :: [{pos_integer, pos_integer} | term]
  def shown(module, server) do
    arguments = [node(server), :erlang, :process_info, [server, :messages]]
    {:messages, messages} = apply(module, :call, arguments)
    for message <- messages, do: shown(message)
  end

  defp shown({:"$gen_call", {_pid, _tag}, {:send, _dest, {n, blob}}} = message) do
    bytes = byte_size(blob)
    if blob == :binary.copy("b", bytes), do: {n, bytes}, else: message
  end

  defp shown(other), do: other

  @doc "Asks for a blob; gives the number of its bytes."
  @spec blob_bytes(GenServer.server(), non_neg_integer) :: non_neg_integer
  def blob_bytes(server, bytes) do
    {:blob, blob} = call(server, {:blob, bytes})
    byte_size(blob)
  end

  @doc "The milliseconds within which 99 of 100 of so many calls are answered."
  @spec p99_ms(GenServer.server(), term, pos_integer) :: float
  def p99_ms(server, request, count) do
    times = for _nth <- 1..count, do: elem(:timer.tc(&call/2, [server, request]), 0)
    Enum.at(Enum.sort(times), div(count * 99, 100)) / 1_000
  end

  defp call(server, request), do: GenServer.call(server, request, @ask_ms)

  # What follows runs in the test.

  @doc "Connects a peer made by hand to a C node."
  @spec raw_peer(pid, node, String.t()) :: :gen_tcp.socket()
  def raw_peer(cluster, node, name) do
    [_, port] = Regex.run(~r/^ready .* port=(\d+)$/m, Cluster.logs(cluster, node))
    cookie = cluster |> :sys.get_state() |> Map.fetch!(:cookie_file) |> File.read!()
    {:ok, socket} = RawPeer.connect(String.to_integer(port), name, cookie)
    :ok = :inet.setopts(socket, packet: 0)
    socket
  end

  @doc "#{@frames} frames with the same control message and message, as bytes."
  @spec frames(tuple, term) :: binary
  def frames(control, message) do
    frame = RawPeer.frame(control, :erlang.term_to_binary(message))
    :binary.copy(<<byte_size(frame)::32, frame::binary>>, @frames)
  end

  @doc "Sends bytes again and again until the connection ends or `:stop` comes; how often it did."
  @spec send_until_stopped(:gen_tcp.socket(), binary, non_neg_integer) :: non_neg_integer
  def send_until_stopped(socket, bytes, times \\ 0) do
    receive do
      :stop -> times
    after
      0 ->
        case :gen_tcp.send(socket, bytes) do
          :ok -> send_until_stopped(socket, bytes, times + 1)
          {:error, _closed} -> times
        end
    end
  end
end
