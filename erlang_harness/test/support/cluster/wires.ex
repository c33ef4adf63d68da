defmodule Minotaur.Cluster.Wires do
  @moduledoc """
  The connections of a test cluster, each of which a test may cut and heal.

  Nodes ask this process where epmd is. It passes what they say on to the real one, but puts a port
  of its own in the place of the port that a node registers; who dials the node comes here, says
  its name first, as the handshake has it ("ERTS User's Guide", "Distribution Protocol"), and is
  connected with the node. So each connection is known by the names of its two ends, whoever
  dialled, and needs no right on the machine. One that is cut is closed at both ends, and so is
  each new one until it is healed.
  """

  use GenServer

  @tcp [:binary, active: false, nodelay: true, ip: {127, 0, 0, 1}]
  @address {127, 0, 0, 1}

  @doc "Starts wires before the epmd on this port. They end with the caller."
  @spec start_link(:inet.port_number()) :: {:ok, pid}
  def start_link(epmd), do: GenServer.start_link(__MODULE__, epmd)

  @doc "The port that nodes are to take for epmd's."
  @spec port(pid) :: :inet.port_number()
  def port(wires), do: GenServer.call(wires, :port)

  @doc "Cuts the wire between two nodes."
  @spec cut(pid, node, node) :: :ok
  def cut(wires, one, other), do: GenServer.call(wires, {:cut, pair(one, other)})

  @doc "Heals it."
  @spec heal(pid, node, node) :: :ok
  def heal(wires, one, other), do: GenServer.call(wires, {:heal, pair(one, other)})

  @impl true
  def init(epmd) do
    {:ok, listener} = :gen_tcp.listen(0, @tcp)
    {:ok, port} = :inet.port(listener)
    wires = self()
    spawn_link(fn -> accept(listener, &register(&1, epmd, wires)) end)
    {:ok, %{port: port, cut: MapSet.new(), links: %{}}}
  end

  @impl true
  def handle_call(:port, _from, state), do: {:reply, state.port, state}

  def handle_call({:cut, pair}, _from, state) do
    {links, others} = Map.pop(state.links, pair, [])
    for {one, other} <- links, do: close(one, other)
    {:reply, :ok, %{state | cut: MapSet.put(state.cut, pair), links: others}}
  end

  def handle_call({:heal, pair}, _from, state),
    do: {:reply, :ok, %{state | cut: MapSet.delete(state.cut, pair)}}

  def handle_call({:link, pair, sockets}, _from, state) do
    if pair in state.cut,
      do: {:reply, :cut, state},
      else: {:reply, :ok, update_in(state.links[pair], &[sockets | &1 || []])}
  end

  def handle_call({:front, name, port}, _from, state) do
    {:ok, listener} = :gen_tcp.listen(0, @tcp)
    {:ok, front} = :inet.port(listener)
    wires = self()
    acceptor = spawn_link(fn -> accept(listener, &connect(&1, name, port, wires)) end)
    :ok = :gen_tcp.controlling_process(listener, acceptor)
    {:reply, front, state}
  end

  # Each connection has a process of its own, which ends with the acceptor.
  defp accept(listener, serve) do
    {:ok, socket} = :gen_tcp.accept(listener)
    server = spawn_link(fn -> receive(do: (:yours -> serve.(socket))) end)
    :ok = :gen_tcp.controlling_process(socket, server)
    send(server, :yours)
    accept(listener, serve)
  end

  # -- epmd: what is asked is passed on as it is, a registration with another port

  defp register(socket, epmd, wires) do
    with {:ok, request} <- receive_packet(socket),
         {:ok, real} <- :gen_tcp.connect(@address, epmd, @tcp) do
      pump(socket, real, packet(with_front(request, wires)))
    else
      _gone -> :gen_tcp.close(socket)
    end
  end

  defp with_front(<<120, port::16, types::32, lowest::16, size::16, rest::binary>>, wires) do
    front = GenServer.call(wires, {:front, binary_part(rest, 0, size), port})
    <<120, front::16, types::32, lowest::16, size::16, rest::binary>>
  end

  defp with_front(request, _wires), do: request

  # -- a node that dials another

  defp connect(socket, name, port, wires) do
    with {:ok, hello} <- receive_packet(socket),
         {:ok, real} <- :gen_tcp.connect(@address, port, @tcp),
         :ok <- GenServer.call(wires, {:link, pair(dialler(hello), name), {socket, real}}) do
      pump(socket, real, packet(hello))
    else
      _gone_or_cut -> :gen_tcp.close(socket)
    end
  end

  defp dialler(<<?N, _flags::64, _creation::32, size::16, name::binary-size(size), _::binary>>),
    do: name

  defp dialler(<<?n, _version::16, _flags::32, name::binary>>), do: name

  # What comes from either side goes to the other, until one closes.
  defp pump(socket, real, first) do
    _ = :gen_tcp.send(real, first)
    spawn_link(fn -> copy(real, socket) end)
    copy(socket, real)
  end

  defp copy(from, to) do
    with {:ok, bytes} <- :gen_tcp.recv(from, 0), :ok <- :gen_tcp.send(to, bytes) do
      copy(from, to)
    else
      _closed -> close(from, to)
    end
  end

  defp close(one, other), do: for(socket <- [one, other], do: :gen_tcp.close(socket))

  defp receive_packet(socket) do
    with {:ok, <<size::16>>} <- :gen_tcp.recv(socket, 2), do: :gen_tcp.recv(socket, size)
  end

  defp packet(bytes), do: [<<byte_size(bytes)::16>>, bytes]

  defp pair(one, other), do: Enum.sort([short(one), short(other)])

  defp short(name), do: name |> to_string() |> String.split("@") |> hd()
end
