defmodule Minotaur.Cluster.OptionalFlagsTest do
  @moduledoc """
  Peers that lack flags: a C node tells each one only what it understands, in the form that its
  flags ask for, and refuses by name those that lack what every node must have.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.RawPeer
  alias Minotaur.ClusterHelper, as: Cluster

  @echo :conformance_echo
  @large 200_000

  # The operations by which a peer with all flags hears of what happens below.
  @forms %{reply: 33, send: 22, unlink: 35, exit: 24, down: 28, exit2: 26, monitor: 19}

  @mandatory [
    :extended_references,
    :fun_tags,
    :new_fun_tags,
    :extended_pids_ports,
    :export_ptr_tag,
    :bit_binaries,
    :new_floats,
    :utf8_atoms,
    :map_tag,
    :big_creation,
    :handshake_23
  ]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    c = Cluster.start_node(cluster, kind: :echo)
    [cluster: cluster, c: c, port: RawPeer.port(cluster, c), cookie: RawPeer.cookie(cluster)]
  end

  test "each signal has the form that the peer's flags ask for", ctx do
    for {without, changes} <- [
          {[], %{}},
          {[:send_sender], %{send: 2}},
          {[:unlink_id], %{unlink: 4}},
          {[:exit_payload], %{exit: 3, down: 21, exit2: 8}},
          {[:alias], %{reply: 22}},
          {[:dist_monitor_name], %{down: nil, monitor: nil}},
          {[:dist_monitor], %{down: nil, monitor: nil}},
          {[:dist_monitor, :dist_monitor_name], %{down: nil, monitor: nil}},
          {[:spawn], %{}},
          {[:unicode_io, :small_atom_tags, :big_seqtrace_labels], %{}},
          {[:mandatory_25_digest], %{}},
          {@mandatory, %{}},
          {[:send_sender, :unlink_id, :exit_payload, :alias, :spawn, :dist_monitor],
           %{send: 2, unlink: 4, exit: 3, down: nil, exit2: 8, reply: 2, monitor: nil}}
        ] do
      peer = connect(ctx, RawPeer.flags(without: without))
      {forms, others} = forms(peer)
      assert {without, forms} == {without, Map.merge(@forms, changes)}
      refute :spawn in without and 29 in others
      :gen_tcp.close(peer.socket)
    end
  end

  # Old links have no ids: what is taken back is not acknowledged.
  test "an unlink of the old form unlinks, and is not acknowledged", ctx do
    peer = connect(ctx, RawPeer.flags(without: [:unlink_id]))
    {:ok, target} = ask(peer, @echo, {:start_target})
    send_signal(peer, {1, peer.pid, target})
    send_signal(peer, {4, peer.pid, target})
    :ok = ask(peer, target, {:exit, :boom})
    send_signal(peer, {19, peer.pid, target, ref = RawPeer.ref(peer.name)})

    assert [op] = for({control, _} <- until_down(peer, ref), do: elem(control, 0)),
           "only the DOWN"

    assert op == 28
  end

  # Frames with a header to those who agreed on one of its two uses, no fragments without the flag.
  test "headers and fragments are sent to those who take them", ctx do
    for {with, first_bytes} <- [
          {[], [112]},
          {[:dist_hdr_atom_cache], [131]},
          {[:fragments], [131]}
        ] do
      peer = connect(ctx, RawPeer.flags(with: with))
      for size <- [1, @large], do: send_call(peer, @echo, {:blob, size}, [:alias | peer.ref])
      frames = frames_until(peer.socket, @large)
      assert Enum.uniq(for <<form, _::binary>> <- frames, do: form) == first_bytes

      fragments = for <<131, form, _::binary>> <- frames, form in [69, 70], do: form
      assert with == [:fragments] or fragments == []
      :gen_tcp.close(peer.socket)
    end
  end

  test "a peer that lacks what is mandatory is refused, and the log names it", ctx do
    for flag <- [:v4_nc | @mandatory] do
      name = name()
      flags = RawPeer.flags(without: [flag, :mandatory_25_digest])
      assert RawPeer.connect(ctx.port, name, ctx.cookie, flags) == :not_allowed
      lacks = "the peer lacks #{flag |> Atom.to_string() |> String.upcase()} "

      wait_until(fn ->
        assert Cluster.logs(ctx.cluster, ctx.c) =~
                 ~r/handshake.refused: #{name} from .*: #{lacks}/
      end)

      # Who has proven the cookie is no guesser: so the next one is logged, and not slowed.
      :gen_tcp.close(connect(ctx, RawPeer.flags([])).socket)
    end
  end

  # What the peer hears of: {form of each, operations of other signals}.
  defp forms(peer) do
    {:ok, target} = ask(peer, @echo, {:start_target})
    heard = fn request -> operations(peer, target, request) end
    :ok = send_call(peer, target, {:whoami}, [:alias | peer.ref])
    reply = next_reply(peer)

    sent = heard.({:send, peer.pid, :hello})
    linked = heard.({:link_me, peer.pid})
    unlinked = heard.({:unlink_me, peer.pid})
    acknowledge(peer, target, unlinked)
    exit2 = heard.({:exit_signal, peer.pid, :why})
    monitored = heard.({:monitor, peer.pid})
    assert [{1, _, _}] = linked

    send_signal(peer, {1, peer.pid, target})
    ref = RawPeer.ref(peer.name)
    send_signal(peer, {19, peer.pid, target, ref})
    ended = heard.({:exit, :boom})
    assert_reasons(ended)
    all = [sent, unlinked, exit2, monitored, ended]

    {%{
       reply: reply,
       send: find(sent, [2, 22]),
       unlink: find(unlinked, [4, 35]),
       exit2: find(exit2, [8, 26]),
       monitor: find(monitored, [19]),
       exit: find(ended, [3, 24]),
       down: find(ended, [21, 28])
     }, for(controls <- all, control <- controls, do: elem(control, 0))}
  end

  # The controls that the node sends because of a request, without the reply.
  defp operations(peer, target, request) do
    send_call(peer, target, request, tag = RawPeer.ref(peer.name))
    {_reply, before} = collect(peer, tag, [])
    # What the process does after its reply is behind it when another one has answered.
    send_call(peer, @echo, {:whoami}, tag = RawPeer.ref(peer.name))
    {_reply, later} = collect(peer, tag, [])
    before ++ later
  end

  defp collect(peer, tag, controls) do
    case RawPeer.next_signal(peer.socket) do
      {_control, {^tag, reply}} -> {reply, Enum.reverse(controls)}
      {control, message} -> collect(peer, tag, [with_reason(control, message) | controls])
    end
  end

  # An exit's reason, wherever it came, stands last.
  defp with_reason(control, nil), do: control
  defp with_reason(control, message), do: :erlang.append_element(control, message)

  defp assert_reasons(controls) do
    for control <- controls, elem(control, 0) in [3, 24, 21, 28] do
      assert elem(control, tuple_size(control) - 1) == :boom
    end
  end

  defp find(controls, operations) do
    case for(control <- controls, elem(control, 0) in operations, do: elem(control, 0)) do
      [] -> nil
      [operation] -> operation
    end
  end

  defp acknowledge(peer, target, [{35, id, target, _peer}]) do
    send_signal(peer, {36, id, peer.pid, target})
  end

  defp acknowledge(_peer, _target, [{4, _target_pid, _peer_pid}]), do: :ok

  defp next_reply(peer) do
    tag = [:alias | peer.ref]

    case RawPeer.next_signal(peer.socket) do
      {control, {^tag, _reply}} -> elem(control, 0)
      _other -> next_reply(peer)
    end
  end

  defp ask(peer, to, request) do
    send_call(peer, to, request, tag = RawPeer.ref(peer.name))
    {reply, _controls} = collect(peer, tag, [])
    reply
  end

  defp send_call(peer, to, request, tag) do
    message = :erlang.term_to_binary({:"$gen_call", {peer.pid, tag}, request})
    control = if is_atom(to), do: {6, peer.pid, :"", to}, else: {2, :"", to}
    RawPeer.send_frame(peer.socket, RawPeer.frame(control, message))
  end

  defp send_signal(peer, control), do: RawPeer.send_frame(peer.socket, RawPeer.frame(control))

  # The signals about the peer's own process up to the DOWN.
  defp until_down(peer, ref) do
    case RawPeer.next_signal(peer.socket) do
      {{28, _from, _to, ^ref}, _reason} = signal ->
        [signal]

      {control, _message} = signal when elem(control, 0) in [3, 24, 36] ->
        [signal | until_down(peer, ref)]

      _other ->
        until_down(peer, ref)
    end
  end

  # All frames until so many bytes have come.
  defp frames_until(socket, bytes) when bytes > 0 do
    {:ok, frame} = :gen_tcp.recv(socket, 0, 10_000)

    if frame == "",
      do: frames_until(socket, bytes),
      else: [frame | frames_until(socket, bytes - byte_size(frame))]
  end

  defp frames_until(_socket, _bytes), do: []

  defp connect(ctx, flags) do
    name = name()
    {:ok, socket} = RawPeer.connect(ctx.port, name, ctx.cookie, flags)
    %{socket: socket, name: name, pid: RawPeer.pid(name, 7), ref: RawPeer.ref(name)}
  end

  defp name, do: "raw#{System.unique_integer([:positive])}@127.0.0.1"
end
