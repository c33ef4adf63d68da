defmodule Minotaur.Cluster.HostileBytesTest do
  @moduledoc """
  Peers that know the cookie and send the worst they can: the node lives on, an honest peer's calls
  do not wait for it, the connection ends with a line in the log that names the peer where a rule
  was broken, and afterwards the memory is free again.
  """

  use ExUnit.Case
  @moduletag :cluster_test
  @moduletag timeout: 240_000

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Pulse, RawPeer}
  alias Minotaur.ClusterHelper, as: Cluster

  @mib 1_048_576
  @atom_max 255

  setup ctx do
    nodes = Pulse.start_nodes(start_supervised!({Cluster.Manager, ctx}))
    {session, os_pid} = nodes[:session]
    Keyword.merge(nodes, session: session, os_pid: os_pid, elsewhere: nodes[:echoing])
  end

  # {name, frames, what the log says}: the last frame is the one too many.
  test "headers and fragments against the rules close the connection, by name", ctx do
    before_kb = Pulse.resident_kb(ctx.os_pid)

    for {what, frames, said} <- bad_streams(ctx) do
      name = "raw-#{what}@127.0.0.1"

      assert_no_stall(ctx, what, name, RawPeer.full_flags(), fn socket ->
        for frame <- frames, do: :gen_tcp.send(socket, frame)
        assert RawPeer.closed?(socket), "#{what} did not close the connection"
      end)

      assert_logged(ctx, ~r/peer.down: #{name}: protocol_error \(#{said}/)
    end

    assert_unharmed(ctx)
    Pulse.await_memory(ctx.os_pid, before_kb)
  end

  # What is costly to look at is refused, or looked at in time.
  test "terms that cost much are refused or borne", ctx do
    before_kb = Pulse.resident_kb(ctx.os_pid)

    for {what, message, outcome} <- costly_messages(ctx) do
      name = "raw-#{what}@127.0.0.1"

      assert_no_stall(ctx, what, name, RawPeer.flags([]), fn socket ->
        for to <- [{2, :"", ctx.session}, {6, RawPeer.pid(name, 1), :"", :rex}] do
          :gen_tcp.send(socket, RawPeer.frame(to, <<131, message::binary>>))
        end

        case outcome do
          :borne -> assert_answers(socket, name)
          said -> assert RawPeer.closed?(socket) and said
        end
      end)

      if outcome != :borne,
        do: assert_logged(ctx, ~r/#{name}: protocol_error \(#{decode(outcome)}/)
    end

    assert_unharmed(ctx)
    Pulse.await_memory(ctx.os_pid, before_kb)
  end

  # Ticks and frames of some bytes, millions of them; frames that are a hundred times as large when
  # the atoms that they name are written out.
  test "floods stall nobody", ctx do
    tiny = RawPeer.frame({6, RawPeer.pid("raw-tiny@127.0.0.1", 1), :"", :nobody}, <<131, 106>>)
    framed = <<byte_size(tiny)::32, tiny::binary>>

    for {what, bytes, times} <- [
          {"ticks", :binary.copy(<<0::32>>, 262_144), 20},
          {"tiny", :binary.copy(framed, 10_000), 100}
        ] do
      name = "raw-#{what}@127.0.0.1"

      assert_no_stall(ctx, what, name, RawPeer.flags([]), fn socket ->
        :ok = :inet.setopts(socket, packet: 0)
        for _ <- 1..times, do: :ok = :gen_tcp.send(socket, bytes)
        assert_answers(socket, name)
      end)
    end

    name = "raw-expanded@127.0.0.1"
    frames = expanding(name)

    assert_no_stall(ctx, "expanded", name, RawPeer.full_flags(), fn socket ->
      for frame <- frames, do: :ok = :gen_tcp.send(socket, frame)
      ask = {19, RawPeer.pid(name, 1), :nobody, RawPeer.ref(name)}
      :ok = :gen_tcp.send(socket, RawPeer.frame(ask))
      await_bytes(socket, "noproc")
    end)

    assert_unharmed(ctx)
  end

  defp await_bytes(socket, bytes) do
    {:ok, frame} = :gen_tcp.recv(socket, 0, 60_000)
    if :binary.match(frame, bytes) == :nomatch, do: await_bytes(socket, bytes)
  end

  # Messages of 255 atoms of a thousand bytes each, by two bytes each.
  defp expanding(name) do
    control = RawPeer.bare({6, RawPeer.pid(name, 1), :"", :nobody})
    atoms = for n <- 0..254, into: <<>>, do: <<82, n>>
    terms = <<control::binary, 108, 255::32, atoms::binary, 106>>
    again = RawPeer.header_again(Enum.to_list(0..254))
    told = <<131, 68, RawPeer.header(long_atoms(), long: true)::binary, terms::binary>>
    [told | List.duplicate(<<131, 68, again::binary, terms::binary>>, 2_000)]
  end

  defp bad_streams(ctx) do
    decode = "a frame that cannot be decoded"
    send = RawPeer.bare({2, :"", ctx.session})
    whole = fn header, terms -> [<<131, 68, header::binary, terms::binary>>] end
    first = fn id, n, data -> <<131, 69, id::64, n::64, 0, data::binary>> end
    next = fn id, n, data -> <<131, 70, id::64, n::64, data::binary>> end
    atom = String.duplicate("a", @atom_max + 1)

    [
      {"header-cut", [<<131, 68>>], decode},
      {"header-count", [<<131, 68, 255, 1, 2, 3>>], decode},
      {"header-slot", whole.(RawPeer.header_again([9]), send), decode},
      {"header-size", whole.(<<1, 8, 0, 200, "short">>, ""), decode},
      {"atom-long", whole.(RawPeer.header([atom], long: true), send), decode},
      {"atom-bytes", whole.(RawPeer.header([<<0xC3, 0x28>>]), send), decode},
      {"index", whole.(RawPeer.header(["a"]), <<104, 3, 97, 2, 82, 1, 106>>), decode},
      {"index-none", whole.(<<0>>, <<104, 1, 82, 0>>), decode},
      {"form", [<<131, 71, 0, 106>>], decode},
      {"fragment-cut", [<<131, 69, 1::64, 2::32>>], decode},
      {"twice", [first.(1, 3, send), first.(1, 3, send)], decode},
      {"order", [first.(1, 3, send), next.(1, 1, "x")], decode},
      {"no-start", [next.(1, 1, "x")], decode},
      {"zero", [first.(1, 0, send)], decode},
      {"again", [first.(1, 2, send <> <<106>>), next.(1, 1, ""), next.(1, 1, "")], decode},
      {"tail", [first.(1, 2, send <> <<106>>), next.(1, 1, <<106>>)], decode},
      {"many", for(id <- 1..16_385, do: first.(id, 2, "")), decode},
      {"endless", endless(first, next), decode},
      {"all", [first.(1, 9, "") | for(id <- 2..300, do: first.(id, 9, mib(1)))], decode},
      {"atoms", costly_headers(), decode}
    ]
  end

  # More than a frame may have, in pieces.
  defp endless(first, next) do
    [first.(1, 1_000_000, "") | for(n <- 999_999..999_870//-1, do: next.(1, n, mib(1)))]
  end

  # Each names 255 atoms of a thousand bytes by two bytes each, and is never ended.
  defp costly_headers do
    again = RawPeer.header_again(Enum.to_list(0..254))
    first = <<131, 69, 0::64, 9::64, RawPeer.header(long_atoms(), long: true)::binary>>
    [first | for(id <- 1..3_000, do: <<131, 69, id::64, 9::64, again::binary>>)]
  end

  # 255 atoms as long as they may be.
  defp long_atoms, do: for(n <- 0..254, do: String.duplicate("𝄞", 254) <> <<n + 0x100::utf8>>)

  defp mib(count), do: :binary.copy(<<0>>, count * @mib)

  defp costly_messages(_ctx) do
    list = fn count, element -> <<108, count::32, :binary.copy(element, count)::binary, 106>> end
    map = fn count, pairs -> <<116, count::32, pairs::binary>> end
    ints = fn count -> for(n <- 1..count, into: <<>>, do: <<98, n::32, 106>>) end

    pids = fn count ->
      for(n <- 1..count, into: <<>>, do: <<88, 119, 3, "n@h", 5::32, 0::32, n::32, 106>>)
    end

    [
      {"terms", list.(2_097_151, <<97, 1>>), :borne},
      {"terms-1", list.(2_097_152, <<97, 1>>), "a term too large"},
      {"tuples", list.(1_000_000, <<104, 1, 106>>), :borne},
      {"keys", map.(262_144, ints.(262_144)), :borne},
      {"keys-1", map.(262_145, ints.(262_145)), "a term too large"},
      {"one-hash", map.(100_000, pids.(100_000)), "a term too large"},
      {"twins", map.(2, <<97, 1, 106, 98, 1::32, 106>>), "twin keys in a map"},
      {"compressed", <<80, 10::32, :zlib.compress(<<106>>)::binary>>, "compressed term"},
      {"big-integer", <<111, 1_000_000::32, 0, :binary.copy(<<255>>, 1_000_000)::binary>>,
       :borne},
      {"binary", <<109, 64 * @mib::32, mib(64)::binary>>, :borne}
    ]
  end

  defp decode(said), do: "a frame that cannot be decoded: #{said}"

  # A frame that the node must answer, after all that came before it.
  defp assert_answers(socket, name) do
    :ok = :inet.setopts(socket, packet: 4)
    ref = RawPeer.ref(name)
    :gen_tcp.send(socket, RawPeer.frame({19, RawPeer.pid(name, 1), :nobody, ref}))
    assert :noproc == down_reason(socket, ref)
  end

  defp down_reason(socket, ref) do
    case RawPeer.next_signal(socket) do
      {{28, :nobody, _to, ^ref}, reason} -> reason
      _other -> down_reason(socket, ref)
    end
  end

  # Whatever `fun` sends on a connection of this name, which is closed then.
  defp assert_no_stall(ctx, what, name, flags, fun) do
    patient = {ctx.session, ctx.os_pid}

    Pulse.assert_no_stall(what, fn ->
      socket = wait_until(fn -> connect(ctx, name, flags) end)
      sent = fn -> fun.(socket) end
      seen = Pulse.during(ctx.cluster, ctx.a, patient, ctx.elsewhere, :get_game, sent)
      :gen_tcp.close(socket)
      seen
    end)
  end

  defp assert_logged(ctx, pattern) do
    wait_until(fn -> assert Cluster.logs(ctx.cluster, ctx.c) =~ pattern end)
  end

  defp connect(ctx, name, flags) do
    port = RawPeer.port(ctx.cluster, ctx.c)
    {:ok, socket} = RawPeer.connect(port, name, RawPeer.cookie(ctx.cluster), flags)
    socket
  end

  defp assert_unharmed(ctx) do
    assert %{round: 1} =
             Cluster.call(ctx.cluster, ctx.a, GenServer, :call, [ctx.session, :get_game])

    assert ctx.c in Cluster.call(ctx.cluster, ctx.a, Node, :list, [])
  end
end
