defmodule Minotaur.Cluster.FragmentsTest do
  @moduledoc """
  Large signals between nodes of both kinds, both ways: whole whatever their size, in each sender's
  order, and in nobody's way. Both nodes cut them into fragments of 64 kB; who knows no fragments
  gets them whole.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.EchoHelper
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, RawPeer}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{EchoHelper, LargeHelper}

  # Around the edges of a fragment, with and without what stands before a binary.
  @edges for(edge <- [65_536, 131_072], less <- 0..160//20, do: edge - less) ++
           [65_535, 65_537, 131_071, 131_073, 1_000_000, 5_000_000]

  setup_all ctx do
    {:ok, echo: start(start_supervised!({Manager, ctx}))}
  end

  setup %{echo: echo} = ctx do
    [_first, to] = echo[Map.get(ctx, :to_kind, :c)]
    [from, _second] = echo[Map.get(ctx, :from_kind, :beam)]
    {:ok, from: from, to: to, a: start_target(echo, from), b: start_target(echo, to)}
  end

  for from <- [:beam, :c], to <- [:beam, :c] do
    describe "#{from} to #{to}" do
      @describetag from_kind: from, to_kind: to

      test "a term of any size comes back as it was", %{echo: echo, a: a, b: b} do
        for size <- @edges do
          assert large(echo, :echoed?, [a, b, size]), "#{size} bytes"
        end
      end

      test "each sender's messages come whole and in order", ctx do
        %{echo: echo, from: from, b: b} = ctx
        senders = for _nth <- 1..4, do: start_target(echo, from)
        sizes = [300_000, 10, 65_536, 1, 1_000_000, 70_000, 2, 131_072, 3]
        assert large(echo, :wrong_in_inbox, [senders, b, sizes]) == []
      end

      test "exit reasons can be large", %{echo: echo, to: to, a: a} do
        assert large(echo, :wrong_exits, [a, to, [65_400, 65_536, 70_000, 1_000_000]]) == []
      end

      test "an exit signal can be large", %{echo: echo, a: a, b: b} do
        assert ask(echo, b, {:trap_exit, true}) == :ok
        assert ask(echo, a, {:exit_signal, b, LargeHelper.bytes(200_000)}) == :ok
        assert {:ok, _pid} = via(echo, a, b, {:whoami})
        assert ask(echo, b, {:inbox}) == [info: {:EXIT, a, LargeHelper.bytes(200_000)}]
      end
    end
  end

  for to <- [:beam, :c] do
    describe "answers of a #{to} node" do
      @describetag to_kind: to

      # One process asks, one answers: a small answer waits for the large ones before it.
      test "come in the order of the questions", %{echo: echo, b: b} do
        sizes = [2_000_000, 1, 300_000, 70_000, 2, 1_000_000, 3]
        assert large(echo, :order_of_answers, [b, sizes]) == Enum.to_list(0..6)
      end

      test "are right when many are large at once", %{echo: echo, to: to} do
        servers = for _nth <- 1..8, do: start_target(echo, to)

        hashes =
          servers
          |> Enum.map(
            &Task.async(fn -> run(echo, EchoHelper, :blob_hash, [:direct, &1, 3_000_000]) end)
          )
          |> Task.await_many(60_000)

        assert Enum.uniq(hashes) == [:crypto.hash(:sha256, LargeHelper.bytes(3_000_000))]
      end

      test "carry arguments of rpc that are large", %{echo: echo, to: to} do
        blob = LargeHelper.bytes(500_000)
        arguments = [to, :conformance_echo, :echo, [blob]]
        assert run(echo, :erpc, :call, arguments) == blob
        assert run(echo, :rpc, :call, arguments) == blob
      end
    end
  end

  describe "a c node" do
    # Pings are answered by another process, so they need not wait.
    test "answers others while something large is on its way", %{echo: echo, b: b} do
      assert large(echo, :pings_meanwhile, [b, 60_000_000]) >= 3
    end

    # The reader's turn is bounded, and so is the writer's.
    test "is there for one peer while another floods it", %{echo: echo, to: to, b: b} do
      [flooding, other] = echo.beam
      flood = at(echo, flooding, LargeHelper, :flood, [b, 8, 1_000_000])

      # Again when this machine was busy with others.
      wait_until(fn ->
        times = at(echo, other, LargeHelper, :ping_times, [to, 101])
        assert Enum.at(times, 50) < 50, "median of #{Enum.at(times, 50)} ms"
      end)

      assert at(echo, flooding, Process, :alive?, [flood])
      assert at(echo, flooding, Process, :exit, [flood, :kill])
    end

    test "holds less than twice what it sends", %{echo: echo, to: to, b: b} do
      with_memory(echo, to, fn os_pid ->
        hash = run(echo, EchoHelper, :blob_hash, [:direct, b, 1_000_000])
        assert hash == :crypto.hash(:sha256, LargeHelper.bytes(1_000_000))
        File.write!("/proc/#{os_pid}/clear_refs", "5")
        before = status_kib(os_pid, "VmRSS")
        run(echo, EchoHelper, :blob_hash, [:direct, b, 64_000_000])
        assert (status_kib(os_pid, "VmHWM") - before) * 1024 < 128_000_000
      end)
    end

    test "holds little for peers that are idle", %{echo: echo, to: to} do
      with_memory(echo, to, fn os_pid ->
        connect = &RawPeer.connect(port(echo, to), "idle-#{&1}@127.0.0.1", cookie(echo))
        some = for n <- 1..20, do: connect.(n)
        before = status_kib(os_pid, "VmRSS")
        more = for n <- 21..220, do: connect.(n)
        assert Enum.all?(some ++ more, &match?({:ok, _socket}, &1))
        assert (status_kib(os_pid, "VmRSS") - before) / 200 < 64
      end)
    end

    test "sends whole frames to a peer without fragments", %{echo: echo, to: to} do
      {:ok, socket} = RawPeer.connect(port(echo, to), "raw@127.0.0.1", cookie(echo))
      self = RawPeer.pid("raw@127.0.0.1", 5)
      request = {:"$gen_call", {self, :tag}, {:blob, 200_000}}
      control = {6, self, :"", :conformance_echo}
      RawPeer.send_frame(socket, RawPeer.frame(control, :erlang.term_to_binary(request)))
      assert answer(socket) == {:blob, LargeHelper.bytes(200_000)}
    end
  end

  defp large(echo, function, arguments), do: run(echo, LargeHelper, function, arguments)

  defp at(echo, node, module, function, arguments),
    do: Cluster.call(echo.cluster, node, module, function, arguments)

  # Memory is measured unless a sanitizer has its share in it.
  defp with_memory(echo, node, fun) do
    {:ok, %{os_pid: os_pid}} = Manager.fetch(echo.cluster, node)
    unless File.read!("/proc/#{os_pid}/maps") =~ "libasan", do: fun.(os_pid)
  end

  defp status_kib(os_pid, field) do
    [_, kib] = Regex.run(~r/^#{field}:\s*(\d+) kB$/m, File.read!("/proc/#{os_pid}/status"))
    String.to_integer(kib)
  end

  defp port(echo, node) do
    [_, port] = Regex.run(~r/^ready .* port=(\d+)$/m, Cluster.logs(echo.cluster, node))
    String.to_integer(port)
  end

  defp cookie(echo),
    do: echo.cluster |> :sys.get_state() |> Map.fetch!(:cookie_file) |> File.read!()

  # What answers the raw peer's question; the node has questions of its own.
  defp answer(socket) do
    case message(socket) do
      {:tag, answer} -> answer
      _other -> answer(socket)
    end
  end

  # The next message that a raw peer gets. Ticks are empty.
  defp message(socket) do
    case :gen_tcp.recv(socket, 0, 10_000) do
      {:ok, ""} -> message(socket)
      {:ok, <<112, 131, rest::binary>>} -> payload(socket, rest)
    end
  end

  defp payload(socket, rest) do
    {_control, used} = :erlang.binary_to_term(<<131, rest::binary>>, [:used])

    case binary_part(rest, used - 1, byte_size(rest) - used + 1) do
      "" -> message(socket)
      message -> :erlang.binary_to_term(message)
    end
  end
end
