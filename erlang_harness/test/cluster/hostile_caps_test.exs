defmodule Minotaur.Cluster.HostileCapsTest do
  @moduledoc """
  What one peer may have on a node: monitors, links, nodes that it makes others dial, atoms. Each
  has an end or costs nothing that stays, and a peer that takes all of it stalls nobody.
  """

  use ExUnit.Case
  @moduletag :cluster_test
  @moduletag timeout: 240_000

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Pulse, RawPeer}
  alias Minotaur.ClusterHelper, as: Cluster

  @cap 131_072
  @atoms 1_100_000
  @per_message 10_000

  setup ctx do
    Pulse.start_nodes(start_supervised!({Cluster.Manager, ctx}))
  end

  # The one too many is told system_limit; the peer's end, or that of what it watches, stalls none.
  test "monitors and links of a peer have an end", ctx do
    before_kb = Pulse.resident_kb(elem(ctx.echoing, 1))
    Pulse.assert_no_stall("monitors and links", fn -> fill_and_end(ctx, "raw-caps@127.0.0.1") end)
    # What was freed since goes back with the next connection that ends.
    ctx |> connect(ctx.echo, "raw-next@127.0.0.1") |> :gen_tcp.close()
    Pulse.await_memory(elem(ctx.echoing, 1), before_kb)
  end

  # Each answer goes to a node that is not there: the node tries them, some at a time, and gives up.
  test "answers to nodes that are not there are no burden", ctx do
    before_kb = Pulse.resident_kb(elem(ctx.session, 1))
    name = "raw-dials@127.0.0.1"

    Pulse.assert_no_stall("dials", fn ->
      socket = connect(ctx, ctx.c, name)

      seen =
        during(ctx, ctx.session, ctx.echoing, fn ->
          for n <- 1..20_000 do
            from = RawPeer.pid("nobody#{n}@127.0.0.1", 1)
            call = :erlang.term_to_binary({:"$gen_call", {from, ref(name, n)}, :get_game})
            to = {2, :"", elem(ctx.session, 0)}
            :gen_tcp.send(socket, RawPeer.frame(to, call))
          end

          from = RawPeer.pid(name, 1)
          RawPeer.send_frame(socket, RawPeer.frame({19, from, :nobody, ref = ref(name, 1)}))
          assert_heard(socket, 28, ref, :noproc)
        end)

      :gen_tcp.close(socket)
      seen
    end)

    Pulse.await_memory(elem(ctx.session, 1), before_kb)
  end

  # A BEAM ends when it has seen a million atoms; here they are bytes.
  test "new atoms cost nothing, whoever sends them", ctx do
    before_kb = Pulse.resident_kb(elem(ctx.session, 1))
    Pulse.assert_no_stall("atoms", fn -> send_atoms(ctx, "raw-atoms@127.0.0.1") end)
    Pulse.await_memory(elem(ctx.session, 1), before_kb)

    # As many as a BEAM can bear, by its own cache.
    b = Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
    :ok = Cluster.call(ctx.cluster, b, Pulse, :send_atoms, [elem(ctx.session, 0), 500_000])
    true = Cluster.call(ctx.cluster, b, :erlang, :disconnect_node, [ctx.c])
    Pulse.await_memory(elem(ctx.session, 1), before_kb)
  end

  # All that one peer may have, the end of what half of it watches, and its own: the worst of them.
  defp fill_and_end(ctx, name) do
    [watched, ended] = for _ <- 1..2, do: start_target(ctx)
    ask(ctx, watched, {:trap_exit, true})
    socket = connect(ctx, ctx.echo, name)

    steps = [
      fn -> fill(socket, name, watched, ended) end,
      fn ->
        :ok = ask(ctx, ended, {:exit, :gone})
        for _ <- 1..div(@cap, 2), do: assert_down(socket, :gone)
      end,
      fn ->
        before = ends(ctx, name)
        :gen_tcp.close(socket)
        wait_until(fn -> assert ends(ctx, name) > before end)
      end
    ]

    seen = for step <- steps, do: during(ctx, ctx.echoing, ctx.session, step)
    assert length(ask(ctx, watched, {:inbox})) == @cap
    :ok = ask(ctx, watched, {:exit, :normal})
    Enum.max_by(seen, fn {_result, slowest, _elsewhere} -> slowest.ran end)
  end

  defp fill(socket, name, watched, ended) do
    monitor_all(socket, name, watched, 1..div(@cap, 2))
    monitor_all(socket, name, ended, (div(@cap, 2) + 1)..@cap)
    ref = ref(name, @cap + 1)
    RawPeer.send_frame(socket, RawPeer.frame({19, RawPeer.pid(name, 1), watched, ref}))
    assert_heard(socket, 28, ref, :system_limit)
    for n <- 1..@cap, do: link(socket, RawPeer.pid(name, n), watched)
    link(socket, last = RawPeer.pid(name, @cap + 1), watched)
    assert_heard(socket, 24, last, :system_limit)
  end

  defp ends(ctx, name),
    do: length(Regex.scan(~r/peer.down: #{name}/, Cluster.logs(ctx.cluster, ctx.echo)))

  # In messages, and in the headers of one who has a cache.
  defp send_atoms(ctx, name) do
    cached_name = "raw-cached@127.0.0.1"
    socket = connect(ctx, ctx.c, name)
    cached = connect(ctx, ctx.c, cached_name, RawPeer.full_flags())

    seen =
      during(ctx, ctx.session, ctx.echoing, fn ->
        for first <- 1..@atoms//@per_message, to <- [{2, :"", elem(ctx.session, 0)}] do
          atoms = for n <- first..(first + @per_message - 1), into: <<>>, do: atom("a#{n}")
          message = <<131, 108, @per_message::32, atoms::binary, 106>>
          :gen_tcp.send(socket, RawPeer.frame(to, message))
        end

        for first <- 1..@atoms//255 do
          header = RawPeer.header(for n <- first..(first + 254), do: "b#{n}")
          terms = RawPeer.bare({6, RawPeer.pid(cached_name, 1), :"", :nobody})
          :gen_tcp.send(cached, <<131, 68, header::binary, terms::binary, 82, 254>>)
        end

        ref = ref(name, 1)
        RawPeer.send_frame(socket, RawPeer.frame({19, RawPeer.pid(name, 1), :nobody, ref}))
        assert_heard(socket, 28, ref, :noproc)
        # Its answer has a header with the new atom, so that it cannot simply be read.
        control = {19, RawPeer.pid(cached_name, 1), :nobody, ref(cached_name, 1)}
        RawPeer.send_frame(cached, RawPeer.frame(control))
        await_bytes(cached, "noproc")
      end)

    for socket <- [socket, cached], do: :gen_tcp.close(socket)
    seen
  end

  defp atom(text), do: <<119, byte_size(text), text::binary>>

  defp monitor_all(socket, name, target, numbers) do
    from = RawPeer.pid(name, 1)
    for n <- numbers, do: :gen_tcp.send(socket, RawPeer.frame({19, from, target, ref(name, n)}))
  end

  defp link(socket, from, target), do: :gen_tcp.send(socket, RawPeer.frame({1, from, target}))

  # A reference of a node with this number.
  defp ref(name, number) do
    text = <<119, byte_size(name), name::binary>>
    :erlang.binary_to_term(<<131, 90, 3::16, text::binary, 77::32, 0::32, number::32, 0::32>>)
  end

  # The signal of this operation about a reference or a process.
  defp assert_heard(socket, operation, about, reason) do
    case RawPeer.next_signal(socket) do
      {control, heard} when elem(control, 0) == operation ->
        assert elem(control, tuple_size(control) - 1) == about
        assert heard == reason

      _other ->
        assert_heard(socket, operation, about, reason)
    end
  end

  defp await_bytes(socket, bytes) do
    {:ok, frame} = :gen_tcp.recv(socket, 0, 60_000)
    if :binary.match(frame, bytes) == :nomatch, do: await_bytes(socket, bytes)
  end

  defp assert_down(socket, reason) do
    assert {{28, _from, _to, _ref}, ^reason} = RawPeer.next_signal(socket)
  end

  defp start_target(ctx) do
    {:ok, pid} = ask(ctx, elem(ctx.echoing, 0), {:start_target})
    pid
  end

  defp ask(ctx, server, request) do
    Cluster.call(ctx.cluster, ctx.a, GenServer, :call, [server, request, 60_000])
  end

  defp during(ctx, patient, elsewhere, fun),
    do: Pulse.during(ctx.cluster, ctx.a, patient, elsewhere, :get_game, fun)

  defp connect(ctx, node, name, flags \\ RawPeer.flags([])) do
    port = RawPeer.port(ctx.cluster, node)

    # The name is free again when the node has seen its last connection end.
    wait_until(fn ->
      {:ok, socket} = RawPeer.connect(port, name, RawPeer.cookie(ctx.cluster), flags)
      socket
    end)
  end
end
