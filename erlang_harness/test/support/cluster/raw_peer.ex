defmodule Minotaur.Cluster.RawPeer do
  @moduledoc """
  A peer made by hand: it proves the cookie to a node of a test cluster and then sends it whatever
  bytes a test likes. It is hidden, so nobody expects anything of it.

  The handshake is that of the distribution protocol's version 6 ("ERTS User's Guide", "Distribution
  Protocol"). Neither atom cache nor fragments are agreed on: a frame is `112, 131, control` and, if
  there is one, `131, message`.
  """

  @address {127, 0, 0, 1}
  @step_ms 10_000

  # What OTP 25 asks for, without the flag PUBLISHED.
  @flags 0xD075F5FBC

  @doc "Opens a connection to the port of a node and says nothing on it."
  @spec open(:inet.port_number()) :: :gen_tcp.socket()
  def open(port) do
    {:ok, socket} =
      :gen_tcp.connect(@address, port, [:binary, active: false, packet: 2], @step_ms)

    socket
  end

  @doc "Opens a connection under a name; `:refused` when the node wants another cookie."
  @spec connect(:inet.port_number(), String.t(), String.t()) ::
          {:ok, :gen_tcp.socket()} | :refused
  def connect(port, name, cookie) do
    socket = open(port)
    send_name(socket, name)
    {:ok, "sok"} = :gen_tcp.recv(socket, 0, @step_ms)

    {:ok, <<?N, _flags::64, theirs::32, _creation::32, _name::binary>>} =
      :gen_tcp.recv(socket, 0, @step_ms)

    ours = :rand.uniform(0xFFFFFFFF)
    :ok = :gen_tcp.send(socket, <<?r, ours::32, digest(cookie, theirs)::binary>>)
    proof = <<?a, digest(cookie, ours)::binary>>

    case :gen_tcp.recv(socket, 0, @step_ms) do
      {:ok, ^proof} ->
        :ok = :inet.setopts(socket, packet: 4)
        {:ok, socket}

      {:error, :closed} ->
        :refused
    end
  end

  @doc "Says a name on an open connection, the first message of the handshake."
  @spec send_name(:gen_tcp.socket(), String.t()) :: :ok
  def send_name(socket, name) do
    :ok = :gen_tcp.send(socket, <<?N, @flags::64, 77::32, byte_size(name)::16, name::binary>>)
  end

  @doc "Sends the bytes of one frame; their length goes before them."
  @spec send_frame(:gen_tcp.socket(), iodata) :: :ok
  def send_frame(socket, bytes), do: :ok = :gen_tcp.send(socket, bytes)

  @doc "Sends bytes as they are, without a length."
  @spec send_raw(:gen_tcp.socket(), iodata) :: :ok
  def send_raw(socket, bytes) do
    :ok = :inet.setopts(socket, packet: 0)
    :ok = :gen_tcp.send(socket, bytes)
  end

  @doc "A frame with a control message, and bytes that should be an encoded message."
  @spec frame(tuple, binary) :: binary
  def frame(control, message \\ ""),
    do: <<112, :erlang.term_to_binary(control)::binary>> <> message

  @doc "A pid of a node, as that node would write it."
  @spec pid(String.t(), pos_integer) :: pid
  def pid(name, number) do
    text = <<119, byte_size(name), name::binary>>
    :erlang.binary_to_term(<<131, 88, text::binary, number::32, 0::32, 77::32>>)
  end

  @doc "Reads and forgets until the node closes the connection: whether it does so in time."
  @spec closed?(:gen_tcp.socket()) :: boolean
  def closed?(socket) do
    case :gen_tcp.recv(socket, 0, @step_ms) do
      {:ok, _bytes} -> closed?(socket)
      {:error, :timeout} -> false
      {:error, _closed} -> true
    end
  end

  defp digest(cookie, challenge), do: :crypto.hash(:md5, "#{cookie}#{challenge}")
end
