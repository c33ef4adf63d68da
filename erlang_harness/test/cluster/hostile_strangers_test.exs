defmodule Minotaur.Cluster.HostileStrangersTest do
  @moduledoc """
  Strangers, who do not know the cookie: whatever they say or leave unsaid, they change nothing,
  learn nothing, and nobody waits for them; nor does a node tell its secret to those who share its
  machine.
  """

  use ExUnit.Case
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{CNode, OsProcess, Pulse, RawPeer}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  @env [minotaur: [round_seconds: 0]]
  @script ~S(exec "$0" "$@" 2>>"$MINOTAUR_NODE_LOG")
  @spare_descriptors 4
  @window_ms 1_000

  setup ctx, do: [cluster: start_supervised!({Cluster.Manager, ctx})]

  describe "a node with a session" do
    setup ctx do
      a = Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
      c = Cluster.start_node(ctx.cluster, kind: :c, environment: @env)
      echo = Cluster.start_node(ctx.cluster, kind: :echo)
      game = game_fixture(round_end_time: nil)
      engine = [c, GameEngine, :continue_game, [game]]
      {:ok, session} = Cluster.call(ctx.cluster, a, :erpc, :call, engine)

      [
        a: a,
        c: c,
        session: {session, Cluster.os_pid(ctx.cluster, c)},
        echoing: {{:conformance_echo, echo}, Cluster.os_pid(ctx.cluster, echo)},
        port: RawPeer.port(ctx.cluster, c)
      ]
    end

    # Noise, other protocols, messages that never end, lengths that are lies: by the hundreds.
    test "noise before the cookie stalls nobody and leaves nothing", ctx do
      before_kb = Pulse.resident_kb(elem(ctx.session, 1))

      Pulse.assert_no_stall("noise", fn ->
        Pulse.during(ctx.cluster, ctx.a, ctx.session, ctx.echoing, :get_game, fn ->
          for n <- 1..500 do
            socket = RawPeer.open(ctx.port)
            :ok = :inet.setopts(socket, packet: 0)
            :gen_tcp.send(socket, noise(n))
            if rem(n, 2) == 0, do: :gen_tcp.close(socket)
          end
        end)
      end)

      assert Pulse.await_memory(elem(ctx.session, 1), before_kb)
    end

    # A name alone is nobody's: neither that of a node that is up nor our own changes anything.
    test "names change nothing before the proof", ctx do
      for {name, said} <- [{"#{ctx.a}", "salive"}, {"#{ctx.c}", "snot_allowed"}] do
        socket = RawPeer.open(ctx.port)
        RawPeer.send_name(socket, name, RawPeer.full_flags())
        assert {:ok, ^said} = :gen_tcp.recv(socket, 0, 10_000)
        if said == "salive", do: :ok = :gen_tcp.send(socket, "strue")
        :gen_tcp.send(socket, <<?r, 1::32, :crypto.strong_rand_bytes(16)::binary>>)
        assert RawPeer.closed?(socket)
      end

      assert %{round: 1} =
               Cluster.call(ctx.cluster, ctx.a, GenServer, :call, [
                 elem(ctx.session, 0),
                 :get_game
               ])

      logs = Cluster.logs(ctx.cluster, ctx.c)
      assert length(Regex.scan(~r/peer.up: #{ctx.a}/, logs)) == 1
      refute logs =~ "peer.replaced"
      refute logs =~ ~r/peer.down: #{ctx.a}/
    end

    # Others are turned away, who is connected is served, the processor is not kept busy; afterwards
    # all is as before.
    test "without descriptors the node goes on, and recovers", ctx do
      {session, os_pid} = ctx.session
      limit = length(File.ls!("/proc/#{os_pid}/fd")) + @spare_descriptors
      {_, 0} = System.cmd("prlimit", ["--pid", "#{os_pid}", "--nofile=#{limit}:#{limit}"])
      sockets = for _ <- 1..(10 * @spare_descriptors), do: RawPeer.open(ctx.port)

      assert RawPeer.closed?(List.last(sockets))
      used_ms = cpu_ms(os_pid)
      call_for(ctx, session, System.monotonic_time(:millisecond) + @window_ms)
      assert cpu_ms(os_pid) - used_ms < @window_ms / 2
      for socket <- sockets, do: :gen_tcp.close(socket)

      wait_until(
        fn ->
          {:ok, socket} =
            RawPeer.connect(ctx.port, "raw-later@127.0.0.1", RawPeer.cookie(ctx.cluster))

          :gen_tcp.close(socket)
        end,
        20_000
      )

      call_for(ctx, session, System.monotonic_time(:millisecond))
    end
  end

  # Who sends the node's own challenge back to it hopes for its answer, and is refused.
  test "a reflected challenge is not answered", ctx do
    {:ok, listener} = :gen_tcp.listen(0, [:binary, active: false, packet: 2, ip: {127, 0, 0, 1}])
    {:ok, port} = :inet.port(listener)
    epmd = register(ctx, "mirror", port)
    # The node is ready when it has tried everybody once: its first dial is ended at once.
    first = Task.async(fn -> {:ok, _socket} = :gen_tcp.accept(listener, 30_000) end)
    c = Cluster.start_node(ctx.cluster, kind: :echo, connect: [:"mirror@127.0.0.1"])
    Task.await(first)
    {:ok, dialled} = :gen_tcp.accept(listener, 10_000)

    assert {:ok, <<?N, _flags::64, _creation::32, _name::binary>>} =
             :gen_tcp.recv(dialled, 0, 10_000)

    asked = RawPeer.open(RawPeer.port(ctx.cluster, c))
    RawPeer.send_name(asked, "guest@127.0.0.1", RawPeer.full_flags())
    assert {:ok, "sok"} = :gen_tcp.recv(asked, 0, 10_000)
    assert {:ok, <<?N, _flags::64, theirs::32, _rest::binary>>} = :gen_tcp.recv(asked, 0, 10_000)

    :ok = :gen_tcp.send(dialled, "sok")
    name = "mirror@127.0.0.1"

    challenge =
      <<?N, RawPeer.full_flags()::64, theirs::32, 77::32, byte_size(name)::16, name::binary>>

    :ok = :gen_tcp.send(dialled, challenge)
    assert {:error, :closed} = :gen_tcp.recv(dialled, 0, 10_000)
    wait_until(fn -> assert Cluster.logs(ctx.cluster, c) =~ ~r/mirror.*reflected/ end)
    :gen_tcp.close(epmd)
  end

  # Not in the arguments, the environment after the start, the log of everything, or a core dump.
  test "the cookie is nowhere to be seen", ctx do
    %{epmd: epmd, home: home} = :sys.get_state(ctx.cluster)
    cookie = "secret#{System.unique_integer([:positive])}biscuit"
    log = Path.join(home, "secret.log")
    name = "secret#{System.unique_integer([:positive])}@127.0.0.1"
    {node, os_pid, port} = start_with_variable(name, cookie, log, epmd.number)

    assert {:ok, socket} = RawPeer.connect(port, "raw-right@127.0.0.1", cookie)
    assert RawPeer.connect(port, "raw-wrong@127.0.0.1", cookie <> "x") == :refused
    RawPeer.send_frame(socket, "no frame")
    assert RawPeer.closed?(socket)
    wait_until(fn -> assert File.read!(log) =~ ~r/raw-right.*protocol_error/ end)

    for file <- ["environ", "cmdline"],
        do: refute(File.read!("/proc/#{os_pid}/#{file}") =~ cookie)

    refute File.read!(log) =~ cookie
    assert File.read!("/proc/#{os_pid}/environ") =~ "RELEASE_COOKIE="
    assert File.read!("/proc/#{os_pid}/limits") =~ ~r/^Max core file size +0 +0 /m
    # A sanitizer makes nothing of mlock.
    assert Pulse.sanitized?() or locked_kb(os_pid) > 0
    Port.close(node)
  end

  defp locked_kb(os_pid) do
    [_, kb] = Regex.run(~r/^VmLck:\s+(\d+) kB/m, File.read!("/proc/#{os_pid}/status"))
    String.to_integer(kb)
  end

  defp noise(n) when rem(n, 5) == 0, do: "GET / HTTP/1.1\r\nHost: #{n}\r\n\r\n"
  defp noise(n) when rem(n, 5) == 1, do: <<0xFFFF::16, :crypto.strong_rand_bytes(65_535)::binary>>
  defp noise(n) when rem(n, 5) == 2, do: <<300::16, ?N, :crypto.strong_rand_bytes(100)::binary>>
  defp noise(n) when rem(n, 5) == 3, do: <<3::16, "sok", 3::16, "sok">>
  defp noise(_n), do: :crypto.strong_rand_bytes(2_000)

  # Processor time of a process, which Linux counts in hundredths of a second.
  defp cpu_ms(os_pid) do
    [_, fields] = "/proc/#{os_pid}/stat" |> File.read!() |> String.split(") ")

    [user, system] =
      fields |> String.split() |> Enum.slice(11, 2) |> Enum.map(&String.to_integer/1)

    (user + system) * 10
  end

  # Calls, some at a time, until then, at least once.
  defp call_for(ctx, session, until_ms) do
    for _ <- 1..10 do
      assert %{round: 1} =
               Cluster.call(ctx.cluster, ctx.a, GenServer, :call, [session, :get_game])
    end

    if System.monotonic_time(:millisecond) < until_ms, do: call_for(ctx, session, until_ms)
  end

  # A name in EPMD for as long as the socket is open.
  defp register(ctx, name, port) do
    %{epmd: epmd} = :sys.get_state(ctx.cluster)
    options = [:binary, active: false]
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, epmd.number, options)
    request = <<120, port::16, 77, 0, 6::16, 5::16, byte_size(name)::16, name::binary, 0::16>>
    :ok = :gen_tcp.send(socket, <<byte_size(request)::16, request::binary>>)
    {:ok, <<118, 0, _creation::32>>} = :gen_tcp.recv(socket, 0, 10_000)
    socket
  end

  defp start_with_variable(name, cookie, log, epmd_port) do
    variables = %{
      "RELEASE_COOKIE" => cookie,
      "ERL_EPMD_PORT" => epmd_port,
      "MINOTAUR_NODE_STDIN" => "lifeline",
      "MINOTAUR_NODE_LOG" => log
    }

    arguments = ["-c", @script, CNode.executable!(), "--name", name, "--log-level", "debug"]
    env = OsProcess.environment(variables)
    options = [:binary, {:line, 4_096}, args: arguments, env: env]
    node = Port.open({:spawn_executable, "/bin/sh"}, options)
    assert_receive {^node, {:data, {:eol, "ready " <> ready}}}, 30_000
    [_, port] = Regex.run(~r/port=(\d+)$/, ready)
    {node, node |> Port.info(:os_pid) |> elem(1), String.to_integer(port)}
  end
end
