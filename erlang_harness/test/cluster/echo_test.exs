defmodule Minotaur.Cluster.EchoTest do
  @moduledoc """
  `cnode-echo` keeps its contract, and so does a GenServer on the BEAM: every request, between nodes
  of both kinds in both places. What the one does, the other does.

  In each test `a` and `b` are processes of their own on two nodes; `a` acts on `b`.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Bitwise, only: [<<<: 2]
  import Minotaur.EchoHelper
  import Minotaur.TimeHelper

  alias Minotaur.ClusterHelper, as: Cluster

  setup_all ctx do
    {:ok, echo: start(start_supervised!({Cluster.Manager, ctx}))}
  end

  setup %{echo: echo, to_kind: to_kind} = ctx do
    [_first, to] = echo[to_kind]
    [from, _second] = Map.get(echo, Map.get(ctx, :from_kind, to_kind), [to, to])
    {:ok, from: from, to: to, a: start_target(echo, from), b: start_target(echo, to)}
  end

  # Every kind of term, at the edges of its encodings, and what is nearly a request.
  defp samples(pids) do
    [0, 255, 256, -1, 2_147_483_647, -2_147_483_649, 1 <<< 63, -(1 <<< 64), 1 <<< 3_000] ++
      [0.0, 1.5, -1.0e300, :a, nil, true, :"", :ünïcödé, :"#{String.duplicate("x", 255)}"] ++
      ["", "text", <<1::3>>, <<0, 255>>, :binary.copy("b", 70_000), [], ~c"a", [0, 255], [1 | 2]] ++
      [Enum.to_list(1..1_000), {}, {1}, List.to_tuple(Enum.to_list(1..300)), %{}] ++
      [%{1 => 2, 1.0 => 3, "k" => %{}}, Map.new(1..300, &{&1, {&1}}), pids, make_ref()] ++
      [&Enum.map/2, {:unknown}, {:inbox, 1}, {:send, 1}, {"whoami"}, :whoami, {{:whoami}}]
  end

  @pairings for(from <- [:beam, :c], to <- [:beam, :c], do: {from, to, "#{from} to #{to}"}) ++
              [{:one, :beam, "two on one beam node"}, {:one, :c, "two on one c node"}]

  for {from, to, pairing} <- @pairings do
    describe pairing do
      @describetag from_kind: from, to_kind: to

      test "any term comes back as it was", %{echo: echo, a: a, b: b} do
        for term <- samples([a, b]) do
          assert ask(echo, b, term) === {:echo, term}
          assert via(echo, a, b, term) === {:ok, {:echo, term}}
        end
      end

      test "processes and references are new and of their node", ctx do
        %{echo: echo, a: a, b: b, to: to} = ctx
        assert via(echo, a, b, {:whoami}) == {:ok, b}
        assert {:ok, {:ok, target}} = via(echo, a, name(to), {:start_target})
        assert node(target) == to and target != b
        assert {:ok, ref} = via(echo, a, b, {:make_ref})
        assert {:ok, other} = via(echo, a, b, {:make_ref})
        assert is_reference(ref) and ref != other and node(ref) == to
      end

      test "a started process outlives who started it", %{echo: echo, a: a, b: b} do
        {:ok, {:ok, target}} = via(echo, a, b, {:start_target})
        assert via(echo, a, b, {:crash, :boom}) == {:exit, :boom}
        assert via(echo, a, target, {:whoami}) == {:ok, target}
      end

      test "blobs have their bytes, small and large", %{echo: echo, a: a, b: b} do
        for size <- [0, 1, 251, 252, 503, 65_536, 10_000_000] do
          blob = run(echo, Minotaur.EchoHelper, :blob_hash, [a, b, size])
          assert blob == hash(bytes(size))
        end
      end

      test "messages and casts come into the inbox in their order, once", ctx do
        %{echo: echo, a: a, b: b} = ctx

        for n <- 1..50 do
          message = if rem(n, 3) == 0, do: {:"$gen_cast", n}, else: n
          assert ask(echo, a, {:send, b, message}) == :ok
        end

        expected = for n <- 1..50, do: {if(rem(n, 3) == 0, do: :cast, else: :info), n}
        assert via(echo, a, b, {:inbox}) == {:ok, expected}
        assert via(echo, a, b, {:inbox}) == {:ok, []}
      end

      test "a message is sent to a name on a node", %{echo: echo, a: a, to: to} do
        term = {:to_name, make_ref()}
        assert ask(echo, a, {:send, name(to), term}) == :ok
        assert ask(echo, a, {:send, {:nobody, to}, term}) == :ok
        assert {:ok, inbox} = via(echo, a, name(to), {:inbox})
        assert {:info, term} in inbox
      end

      test "a call without an answer times out, and a late answer vanishes", ctx do
        %{echo: echo, a: a, b: b} = ctx
        assert via(echo, a, b, {:noreply}, 20) == {:exit, :timeout}
        assert via(echo, a, b, {:sleep_echo, 800, :late}, 10) == {:exit, :timeout}
        assert via(echo, a, b, {:sleep_echo, 850, :in_time}) == {:ok, {:echo, :in_time}}
        assert ask(echo, a, {:inbox}) == []
      end

      test "calls to nobody exit at once", %{echo: echo, a: a, b: b, to: to} do
        assert via(echo, a, {:nobody, to}, :hello) == {:exit, :noproc}
        assert via(echo, a, b, {:exit, :normal}) == {:ok, :ok}
        assert via(echo, a, b, :hello) == {:exit, :noproc}
        nowhere = :"nowhere@127.0.0.1"
        assert via(echo, a, {:nobody, nowhere}, :hello) == {:exit, {:nodedown, nowhere}}
        assert via(echo, a, a, :hello) == {:exit, :calling_self}
      end

      test "a call exits with what its server ends with", %{echo: echo, a: a, b: b} do
        assert via(echo, a, b, {:crash, {:any, [1, "x"]}}) == {:exit, {:any, [1, "x"]}}
      end

      test "a monitor tells the reason, by pid", %{echo: echo, a: a, b: b} do
        for reason <- [:normal, :shutdown, {:shutdown, 1}, %{any: "term"}, bytes(100_000)] do
          {:ok, target} = ask(echo, b, {:start_target})
          {:ok, ref} = ask(echo, a, {:monitor, target})
          assert via(echo, a, target, {:exit, reason}) == {:ok, :ok}
          await_inbox(echo, a, [{:info, {:DOWN, ref, :process, target, reason}}])
        end
      end

      test "a monitor of nobody tells at once, by pid and by name", ctx do
        %{echo: echo, a: a, b: b, to: to} = ctx
        {:ok, ref} = ask(echo, a, {:monitor, {:nobody, to}})
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, {:nobody, to}, :noproc}}])
        assert via(echo, a, b, {:exit, :normal}) == {:ok, :ok}
        {:ok, ref} = ask(echo, a, {:monitor, b})
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, b, :noproc}}])
      end

      test "nothing is told after demonitor", %{echo: echo, a: a, b: b, to: to} do
        {:ok, by_pid} = ask(echo, a, {:monitor, b})
        {:ok, by_name} = ask(echo, a, {:monitor, {:nobody, to}})
        assert ask(echo, a, {:demonitor, by_pid}) == :ok
        assert via(echo, a, b, {:exit, :over}) == {:ok, :ok}
        assert via(echo, a, name(to), {:whoami}) != nil
        refute Enum.any?(ask(echo, a, {:inbox}), &match?({:info, {:DOWN, ^by_pid, _, _, _}}, &1))
        assert ask(echo, a, {:demonitor, by_name}) == :ok
      end

      test "a linked process ends with the same reason, or is told", ctx do
        %{echo: echo, a: a, b: b, from: from} = ctx
        fragile = start_target(echo, from)
        {:ok, ref} = ask(echo, a, {:monitor, fragile})
        assert ask(echo, fragile, {:link_me, b}) == :ok
        assert ask(echo, a, {:trap_exit, true}) == :ok
        assert ask(echo, a, {:link_me, b}) == :ok
        assert via(echo, a, b, {:crash, {:torn, 1}}) == {:exit, {:torn, 1}}

        await_inbox(echo, a, [
          {:info, {:DOWN, ref, :process, fragile, {:torn, 1}}},
          {:info, {:EXIT, b, {:torn, 1}}}
        ])
      end

      test "a normal end harms no linked process, and is told to who traps", ctx do
        %{echo: echo, a: a, b: b, from: from} = ctx
        other = start_target(echo, from)
        assert ask(echo, other, {:link_me, b}) == :ok
        assert ask(echo, a, {:trap_exit, true}) == :ok
        assert ask(echo, a, {:link_me, b}) == :ok
        assert via(echo, a, b, {:exit, :normal}) == {:ok, :ok}
        await_inbox(echo, a, [{:info, {:EXIT, b, :normal}}])
        assert ask(echo, other, {:whoami}) == other
      end

      test "an unlinked process is left alone", %{echo: echo, a: a, b: b} do
        assert ask(echo, a, {:link_me, b}) == :ok
        assert ask(echo, a, {:unlink_me, b}) == :ok
        {:ok, ref} = ask(echo, a, {:monitor, b})
        assert via(echo, a, b, {:crash, :boom}) == {:exit, :boom}
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, b, :boom}}])
        assert ask(echo, a, {:whoami}) == a
      end

      test "a link to nobody breaks with noproc", %{echo: echo, a: a, b: b} do
        assert via(echo, a, b, {:exit, :normal}) == {:ok, :ok}
        assert ask(echo, a, {:trap_exit, true}) == :ok
        assert ask(echo, a, {:link_me, b}) == :ok
        await_inbox(echo, a, [{:info, {:EXIT, b, :noproc}}])
      end

      test "exit signals end, are trapped, or are ignored, as their reason says", ctx do
        %{echo: echo, a: a, b: b} = ctx
        {:ok, ref} = ask(echo, a, {:monitor, b})
        assert ask(echo, a, {:exit_signal, b, :normal}) == :ok
        assert via(echo, a, b, {:trap_exit, true}) == {:ok, :ok}
        assert ask(echo, a, {:exit_signal, b, {:asked, 1}}) == :ok
        assert via(echo, a, b, {:inbox}) == {:ok, [{:info, {:EXIT, a, {:asked, 1}}}]}
        assert ask(echo, a, {:exit_signal, b, :kill}) == :ok
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, b, :killed}}])
      end

      test "an exit signal ends who does not trap", %{echo: echo, a: a, b: b} do
        {:ok, ref} = ask(echo, a, {:monitor, b})
        assert ask(echo, a, {:exit_signal, b, %{why: "so"}}) == :ok
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, b, %{why: "so"}}}])
      end

      test "a name in :global is seen, refused, given up, and gone with its process", ctx do
        %{echo: echo, a: a, b: b} = ctx
        name = {:echo_test, make_ref()}
        assert ask(echo, a, {:global_whereis, name}) == :undefined
        assert ask(echo, a, {:global_register, name}) == :yes
        assert ask(echo, a, {:global_register, name}) == :no
        assert ask(echo, b, {:global_register, name}) == :no
        assert ask(echo, b, {:global_whereis, name}) == a
        for node <- echo.beam, do: assert(global(echo, node, name) == a)
        assert ask(echo, a, {:global_unregister, name}) == :ok
        assert ask(echo, b, {:global_whereis, name}) == :undefined
        assert ask(echo, b, {:global_register, name}) == :yes
        assert via(echo, a, b, {:crash, :boom}) == {:exit, :boom}
        wait_until(fn -> assert ask(echo, a, {:global_whereis, name}) == :undefined end)
        wait_until(fn -> for n <- echo.beam, do: :undefined = global(echo, n, name) end)
      end

      # Who was linked to, monitored or called something there is told; so is who asks afterwards.
      test "a lost node is noconnection for all", %{echo: echo, a: a, from: from, to_kind: kind} do
        lost = start_node(echo.cluster, kind)
        b = start_target(echo, lost)
        assert ask(echo, a, {:trap_exit, true}) == :ok
        assert ask(echo, a, {:link_me, b}) == :ok
        {:ok, by_pid} = ask(echo, a, {:monitor, b})
        {:ok, by_name} = ask(echo, a, {:monitor, name(lost)})
        fragile = start_target(echo, from)
        {:ok, of_fragile} = ask(echo, a, {:monitor, fragile})
        assert ask(echo, fragile, {:link_me, b}) == :ok
        waiting = start_target(echo, from)
        call = Task.async(fn -> via(echo, waiting, b, {:noreply}, 20_000) end)
        Cluster.stop_node(echo.cluster, lost, graceful_shutdown: false)

        await_inbox(echo, a, [
          {:info, {:EXIT, b, :noconnection}},
          {:info, {:DOWN, of_fragile, :process, fragile, :noconnection}},
          {:info, {:DOWN, by_pid, :process, b, :noconnection}},
          {:info, {:DOWN, by_name, :process, name(lost), :noconnection}}
        ])

        assert Task.await(call, 20_000) == {:exit, {:nodedown, lost}}
        assert via(echo, a, b, :hello) == {:exit, {:nodedown, lost}}
        {:ok, ref} = ask(echo, a, {:monitor, b})
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, b, :noconnection}}])
      end
    end
  end

  for kind <- [:beam, :c] do
    describe "a BEAM process and #{kind}" do
      @describetag to_kind: kind

      test "see each other's links and monitors", %{echo: echo, b: b} do
        assert run(echo, Minotaur.EchoHelper, :watched, [b, {:over, 1}]) ==
                 [exit: {:over, 1}, down: {:over, 1}]
      end

      test "send to aliases", %{echo: echo, b: b} do
        assert run(echo, Minotaur.EchoHelper, :sent_to_alias, [b]) == [:alive, :last]
      end

      test "have calls open while others are answered", %{echo: echo, b: b} do
        requests = [{:sleep_echo, 400, :last}, {:sleep_echo, 150, :second}, :first]
        began = System.monotonic_time(:millisecond)
        replies = run(echo, Minotaur.EchoHelper, :replies_as_they_come, [b, requests])
        assert replies == [echo: :first, echo: :second, echo: :last]
        assert System.monotonic_time(:millisecond) - began >= 400
      end

      test "wait for many at once", %{echo: echo, b: b} do
        requests = for n <- 1..500, do: {:sleep_echo, rem(n * 37, 100), n}
        replies = run(echo, Minotaur.EchoHelper, :replies_as_they_come, [b, requests])
        assert Enum.sort(replies) == for(n <- 1..500, do: {:echo, n})
      end

      test "exchange 64 MB", %{echo: echo, b: b} do
        size = 64_000_000
        blob = run(echo, Minotaur.EchoHelper, :blob_hash, [:direct, b, size])
        assert blob == hash(bytes(size))
      end

      test "see all connected nodes, hidden ones too", %{echo: echo, b: b, to: to} do
        nodes = [run(echo, :erlang, :node, []) | echo.beam ++ echo.c] -- [to]
        wait_until(fn -> assert nodes -- ask(echo, b, {:nodes}) == [] end)
        assert to not in ask(echo, b, {:nodes})
      end

      test "apply functions by erpc and rpc", %{echo: echo, to: to} do
        term = %{any: [1, "x"]}
        assert run(echo, :erpc, :call, [to, :erlang, :node, []]) == to
        assert run(echo, :erpc, :call, [to, :conformance_echo, :echo, [term]]) == term
        assert run(echo, :rpc, :call, [to, :conformance_echo, :echo, [term]]) == term
        assert {:exception, ^term, stack} = erpc_error(echo, to, :conformance_echo, :fail, [term])
        assert [{:conformance_echo, :fail, _, _} | _] = stack
        assert {:exception, :undef, _} = erpc_error(echo, to, :conformance_echo, :fail, [])
        assert {:exception, :undef, _} = erpc_error(echo, to, :no_module, :f, [term])
        failed = run(echo, :rpc, :call, [to, :conformance_echo, :fail, [term]])
        assert {:badrpc, {:EXIT, {^term, [_ | _]}}} = failed
        undef = run(echo, :rpc, :call, [to, :conformance_echo, :nothing, []])
        assert {:badrpc, {:EXIT, {:undef, [_ | _]}}} = undef
      end

      # GenServer.stop/2 waits for exactly this reason.
      test "stop a server with a reason", %{echo: echo, a: a, b: b} do
        {:ok, ref} = ask(echo, a, {:monitor, b})
        assert via(echo, a, b, {:whoami}) == {:ok, b}
        assert run(echo, GenServer, :stop, [b, :shutdown]) == :ok
        await_inbox(echo, a, [{:info, {:DOWN, ref, :process, b, :shutdown}}])
      end
    end
  end

  describe "cnode-echo" do
    @describetag to_kind: :c

    # A row with other arguments than it takes is no row; a BEAM server would crash there.
    test "echoes what is no request for want of an argument's type", %{echo: echo, b: b} do
      for request <- [
            {:blob, :x},
            {:blob, -1},
            {:sleep_echo, "1", :x},
            {:send, 1, :x},
            {:call, 1, :x, 10},
            {:call, b, :x, :soon},
            {:monitor, 1},
            {:demonitor, :x},
            {:link_me, :x},
            {:unlink_me, :x},
            {:trap_exit, 1},
            {:exit_signal, :x, :y}
          ] do
        assert ask(echo, b, request) == {:echo, request}
      end
    end

    test "leaves on SIGTERM, and when it is asked by rpc", %{echo: echo} do
      node = start_node(echo.cluster, :c)
      assert Cluster.stop_node(echo.cluster, node) == 0
      node = start_node(echo.cluster, :c)
      assert run(echo, :erpc, :call, [node, :init, :stop, []]) == :ok
      assert Cluster.await_stop(echo.cluster, node) == 0
    end
  end

  defp bytes(size) do
    period = :binary.list_to_bin(Enum.to_list(0..250))
    period |> :binary.copy(div(size, 251) + 1) |> binary_part(0, size)
  end

  defp hash(binary), do: :crypto.hash(:sha256, binary)

  defp global(echo, node, name),
    do: Cluster.call(echo.cluster, node, :global, :whereis_name, [name])

  defp erpc_error(echo, node, module, function, arguments) do
    catch_error(run(echo, :erpc, :call, [node, module, function, arguments]))
  end

  # Waits until so much has come, and sees that it is this, in whatever order.
  defp await_inbox(echo, pid, expected) do
    assert Enum.sort(collect(echo, pid, length(expected))) == Enum.sort(expected)
  end

  defp collect(_echo, _pid, count) when count <= 0, do: []

  defp collect(echo, pid, count) do
    some = wait_until(fn -> [_ | _] = ask(echo, pid, {:inbox}) end)
    some ++ collect(echo, pid, count - length(some))
  end
end
