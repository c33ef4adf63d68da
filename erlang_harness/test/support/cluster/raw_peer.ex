defmodule Minotaur.Cluster.RawPeer do
  @moduledoc """
  A peer made by hand: it proves the cookie to a node of a test cluster and then sends it whatever
  bytes a test likes. It is hidden, so nobody expects anything of it.

  The handshake is that of the distribution protocol's version 6 ("ERTS User's Guide", "Distribution
  Protocol"). Unless a test asks for other flags neither atom cache nor fragments are agreed on: a
  frame is `112, 131, control` and, if there is one, `131, message`.
  """

  import Bitwise

  alias Minotaur.ClusterHelper

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

  # Bits of the protocol by their names there.
  @bits %{
    published: 0x1,
    extended_references: 0x4,
    dist_monitor: 0x8,
    fun_tags: 0x10,
    dist_monitor_name: 0x20,
    new_fun_tags: 0x80,
    extended_pids_ports: 0x100,
    export_ptr_tag: 0x200,
    bit_binaries: 0x400,
    new_floats: 0x800,
    unicode_io: 0x1000,
    dist_hdr_atom_cache: 0x2000,
    small_atom_tags: 0x4000,
    utf8_atoms: 0x10000,
    map_tag: 0x20000,
    big_creation: 0x40000,
    send_sender: 0x80000,
    big_seqtrace_labels: 0x100000,
    exit_payload: 0x400000,
    fragments: 0x800000,
    handshake_23: 0x1000000,
    unlink_id: 0x2000000,
    mandatory_25_digest: 0x4000000,
    spawn: 0x100000000,
    v4_nc: 0x400000000,
    alias: 0x800000000
  }

  @doc "The usual flags with and without some, by their names."
  @spec flags(with: [atom], without: [atom]) :: non_neg_integer
  def flags(changes) do
    more = changes |> Keyword.get(:with, []) |> bits()
    fewer = changes |> Keyword.get(:without, []) |> bits()
    (@flags ||| more) &&& bnot(fewer)
  end

  @doc "Those of a peer with atom cache and fragments."
  @spec full_flags :: non_neg_integer
  def full_flags, do: flags(with: [:dist_hdr_atom_cache, :fragments])

  defp bits(names), do: Enum.reduce(names, 0, &(Map.fetch!(@bits, &1) ||| &2))

  @doc """
  Opens a connection under a name; `:refused` when the node wants another cookie, `:not_allowed`
  when it says so.
  """
  @spec connect(:inet.port_number(), String.t(), String.t(), non_neg_integer) ::
          {:ok, :gen_tcp.socket()} | :refused | :not_allowed
  def connect(port, name, cookie, flags \\ @flags) do
    socket = open(port)
    send_name(socket, name, flags)

    case :gen_tcp.recv(socket, 0, @step_ms) do
      {:ok, "sok"} -> prove(socket, cookie)
      {:ok, "snot_allowed"} -> :not_allowed
    end
  end

  defp prove(socket, cookie) do
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
  @spec send_name(:gen_tcp.socket(), String.t(), non_neg_integer) :: :ok
  def send_name(socket, name, flags \\ @flags) do
    :ok = :gen_tcp.send(socket, <<?N, flags::64, 77::32, byte_size(name)::16, name::binary>>)
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

  @doc """
  A distribution header (without `131` and the form) whose atoms are all new, in slots from 0 on.
  With `long: true` their lengths have two bytes, whatever they are.
  """
  @spec header([binary], long: boolean) :: binary
  def header(atoms, options \\ [])
  def header([], _options), do: <<0>>

  def header(atoms, options) do
    long = Keyword.get(options, :long, false)
    size = if long, do: 16, else: 8
    # Half a byte each, the first one in the lower half; the last one is for all.
    halves = Enum.map(atoms, fn _atom -> 8 end) ++ [if(long, do: 1, else: 0)]
    halves = if rem(length(halves), 2) == 1, do: halves ++ [0], else: halves
    bytes = for [low, high] <- Enum.chunk_every(halves, 2), into: <<>>, do: <<high::4, low::4>>

    for {atom, slot} <- Enum.with_index(atoms),
        into: <<length(atoms), bytes::binary>>,
        do: <<slot, byte_size(atom)::size(size), atom::binary>>
  end

  @doc "The header that names these slots of the first 256, whose atoms were sent before."
  @spec header_again([0..255]) :: binary
  def header_again(slots) do
    <<length(slots), 0::size(div(length(slots), 2) * 8 + 8), :binary.list_to_bin(slots)::binary>>
  end

  @doc "A term without its version, as it stands behind a header."
  @spec bare(term) :: binary
  def bare(term) do
    <<131, bytes::binary>> = :erlang.term_to_binary(term)
    bytes
  end

  @doc "The next signal of the node, ticks aside: `{control, message}`, or `{control, nil}`."
  @spec next_signal(:gen_tcp.socket()) :: {tuple, term}
  def next_signal(socket) do
    case :gen_tcp.recv(socket, 0, @step_ms) do
      {:ok, ""} -> next_signal(socket)
      {:ok, <<112, terms::binary>>} -> split(terms)
      {:ok, <<131, 68, 0, terms::binary>>} -> split_bare(terms)
    end
  end

  defp split(terms) do
    {control, used} = :erlang.binary_to_term(terms, [:used])

    case binary_part(terms, used, byte_size(terms) - used) do
      "" -> {control, nil}
      message -> {control, :erlang.binary_to_term(message)}
    end
  end

  defp split_bare(terms) do
    {control, used} = :erlang.binary_to_term(<<131, terms::binary>>, [:used])

    case binary_part(terms, used - 1, byte_size(terms) - used + 1) do
      "" -> {control, nil}
      message -> {control, :erlang.binary_to_term(<<131, message::binary>>)}
    end
  end

  @doc "The port that a C node of a test cluster listens on."
  @spec port(pid, node) :: :inet.port_number()
  def port(cluster, node) do
    [_, port] = Regex.run(~r/^ready .* port=(\d+)$/m, ClusterHelper.logs(cluster, node))
    String.to_integer(port)
  end

  @doc "The cookie of a test cluster."
  @spec cookie(pid) :: String.t()
  def cookie(cluster), do: cluster |> :sys.get_state() |> Map.fetch!(:cookie_file) |> File.read!()

  @doc "A pid of a node, as that node would write it."
  @spec pid(String.t(), pos_integer) :: pid
  def pid(name, number) do
    text = <<119, byte_size(name), name::binary>>
    :erlang.binary_to_term(<<131, 88, text::binary, number::32, 0::32, 77::32>>)
  end

  @doc "A new reference of a node, as that node would write it."
  @spec ref(String.t()) :: reference
  def ref(name) do
    text = <<119, byte_size(name), name::binary>>
    <<first::18, _::14, words::binary>> = :crypto.strong_rand_bytes(12)
    :erlang.binary_to_term(<<131, 90, 3::16, text::binary, 77::32, first::32, words::binary>>)
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
