defmodule Minotaur.Cluster.OutgoingTest do
  @moduledoc """
  What a C node asks of others: functions by erpc, of BEAM and C nodes and of itself, each compared
  with what `:erpc.call/5` does on a BEAM; and the first signal to a node that it is not connected
  with.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.EchoHelper, only: [ask: 3, name: 1, run: 4, start_node: 2, start_target: 2]
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, Probe}
  alias Minotaur.ClusterHelper, as: Cluster

  @echo :conformance_echo
  @big :binary.copy("0123456789abcdef", 65_536)
  @slow [@echo, {:sleep_echo, 5_000, :late}]

  # What is applied, with its time limit.
  @applied [
    {[:erlang, :node, []], 5_000},
    {[@echo, :echo, [%{any: [1, "x"]}]], 5_000},
    {[@echo, :echo, [@big]], 20_000},
    {[@echo, :fail, [{:why, 1}]], 5_000},
    {[:no_such_module, :f, [1]], 5_000},
    {[:no_such_module, :f, [1 | 2]], 5_000},
    {[:no_such_module, :f, Enum.to_list(1..2_000)], 5_000},
    {[:erlang, :throw, [{:ball, 1}]], 5_000},
    {[:erlang, :exit, [{:b, 2}]], 5_000},
    {[:erlang, :nodes, [:no_kind]], 5_000},
    {[GenServer, :call, @slow], 50},
    {[GenServer, :call, [@echo, {:sleep_echo, 50, :in_time}]], 5_000}
  ]

  setup ctx do
    cluster = start_supervised!({Manager, ctx})
    {:ok, asker} = Manager.start_node(cluster, kind: :asker, connect: [])
    {:ok, driver} = Manager.route(cluster, asker)
    [echo: %{cluster: cluster, driver: driver}, cluster: cluster, asker: asker]
  end

  for kind <- [:beam, :c] do
    # Values, exceptions of each class and timeouts, as erpc reports them.
    @tag kind: kind
    test "functions are applied on a #{kind} node", %{echo: echo, asker: asker} = ctx do
      node = start_node(ctx.cluster, ctx.kind)

      for {mfa, ms} <- @applied do
        assert {mfa, plain(applied(echo, asker, node, mfa, ms))} ==
                 {mfa, plain(expected(echo, node, mfa, ms))}
      end
    end

    # What runs for us there is killed; or its node is.
    @tag kind: kind
    test "what is lost on a #{kind} node is told", %{echo: echo, asker: asker} = ctx do
      node = start_node(ctx.cluster, ctx.kind)
      before = run(echo, :erpc, :call, [node, :erlang, :processes, []])
      slow = [GenServer, :call, [@echo, {:noreply}, :infinity]]
      call = Task.async(fn -> applied(echo, asker, node, slow, 20_000) end)
      worker = wait_until(fn -> worker(echo, node, before) end)
      run(echo, Process, :exit, [worker, :kill])
      assert Task.await(call, 20_000) == {:exit, {:signal, :killed}}

      call = Task.async(fn -> applied(echo, asker, node, slow, 20_000) end)
      wait_until(fn -> worker(echo, node, before) end)
      Cluster.stop_node(ctx.cluster, node, graceful_shutdown: false)
      assert Task.await(call, 20_000) == {:error, {:erpc, :noconnection}}
      assert applied(echo, asker, node, slow, 20_000) == {:error, {:erpc, :noconnection}}
    end
  end

  # The table of functions of its own node, without a peer.
  test "functions are applied on the node itself", %{echo: echo, asker: asker} do
    for {mfa, ms} <- @applied, hd(mfa) not in [@echo, GenServer] do
      assert {mfa, plain(applied(echo, asker, asker, mfa, ms))} ==
               {mfa, plain(expected(echo, asker, mfa, ms))}
    end

    mine = [GenServer, :call, [:asker, {:rpc, asker, :erlang, :node, [], 1_000}]]
    assert applied(echo, asker, asker, mine, 5_000) == {:ok, {:ok, asker}}
  end

  # The process there writes to its group leader, which lives here and must answer.
  test "a function that prints does not stand still", %{echo: echo, asker: asker} = ctx do
    beam = start_node(ctx.cluster, :beam)
    assert applied(echo, asker, beam, [IO, :puts, ["hello"]], 10_000) == {:ok, :ok}
    assert applied(echo, asker, beam, [:io, :format, [~c"~p~n", [1]]], 10_000) == {:ok, :ok}
    assert applied(echo, asker, beam, [IO, :gets, [""]], 10_000) == {:ok, {:error, :enotsup}}
  end

  # Whatever the first signal is: it connects, and arrives.
  for kind <- [:beam, :c] do
    @tag kind: kind
    test "the first signal to a #{kind} node connects", %{echo: echo, kind: kind} = ctx do
      to = alone(ctx.cluster, kind)
      b = start_target(echo, to)
      dead = start_target(echo, to)
      assert ask(echo, dead, {:exit, :normal}) == :ok

      for {request, arrived?} <- [
            {{:send, b, :hello}, fn _from -> {:info, :hello} in ask(echo, b, {:inbox}) end},
            {{:send, name(to), :hello},
             fn _from -> {:info, :hello} in ask(echo, name(to), {:inbox}) end},
            {{:monitor, {:nobody, to}}, &told?(echo, &1, :noproc)},
            {{:monitor, dead}, &told?(echo, &1, :noproc)},
            {{:link_me, dead}, &told?(echo, &1, :noproc)},
            {{:exit_signal, start_target(echo, to), :why}, fn _from -> true end},
            {{:call, name(to), :hello, 5_000}, fn _from -> true end}
          ] do
        from = alone(ctx.cluster, :c)
        assert to not in ask(echo, name(from), {:nodes})
        assert ask(echo, name(from), {:trap_exit, true}) == :ok
        assert {request, answer} = {request, ask(echo, name(from), request)}
        assert answer == :ok or match?({:ok, _}, answer)
        wait_until(fn -> assert {request, arrived?.(from)} == {request, true} end)
        wait_until(fn -> assert to in ask(echo, name(from), {:nodes}) end)
      end
    end

    @tag kind: kind
    test "the first function applied on a #{kind} node connects",
         %{echo: echo, asker: asker} = ctx do
      to = alone(ctx.cluster, ctx.kind)
      assert applied(echo, asker, to, [:erlang, :node, []], 5_000) == {:ok, to}
    end
  end

  # By name and by pid, in their order; to nobody it is fine.
  for kind <- [:beam, :c] do
    @tag kind: kind
    test "casts arrive on a #{kind} node", %{echo: echo, asker: asker} = ctx do
      to = start_node(ctx.cluster, ctx.kind)
      b = ask(echo, name(to), {:whoami})
      cast = fn dest, message -> ask(echo, {:asker, asker}, {:cast, dest, message}) end
      for n <- 1..20, do: assert(cast.(if(rem(n, 2) == 0, do: b, else: name(to)), n) == :ok)
      assert cast.({:nobody, to}, :x) == :ok
      # The asker speaks after its casts, so they have come.
      assert applied(echo, asker, to, [:erlang, :node, []], 5_000) == {:ok, to}
      assert ask(echo, b, {:inbox}) == for(n <- 1..20, do: {:cast, n})
    end
  end

  # Nobody answers there: everything says so.
  test "what goes to no node is told", %{echo: echo, asker: asker} = ctx do
    from = alone(ctx.cluster, :c)
    nowhere = :"nowhere@127.0.0.1"
    {:ok, ref} = ask(echo, name(from), {:monitor, {:nobody, nowhere}})
    down = {:info, {:DOWN, ref, :process, {:nobody, nowhere}, :noconnection}}
    wait_until(fn -> assert [down] == ask(echo, name(from), {:inbox}) end)
    assert ask(echo, name(from), {:send, {:nobody, nowhere}, :x}) == :ok
    call = {:call, {:nobody, nowhere}, :x, 5_000}
    assert ask(echo, name(from), call) == {:exit, {:nodedown, nowhere}}
    asked = applied(echo, asker, nowhere, [:erlang, :node, []], 5_000)
    assert asked == {:error, {:erpc, :noconnection}}
  end

  # A node that nobody has connected with anything but the hidden driver.
  defp alone(cluster, :c) do
    {:ok, node} = Manager.start_node(cluster, kind: :echo, connect: [])
    node
  end

  defp alone(cluster, :beam) do
    {:ok, node} = Manager.start_node(cluster, kind: :beam, applications: [])
    {:ok, _pid} = Cluster.call(cluster, node, @echo, :start)
    node
  end

  defp told?(echo, from, reason) do
    Enum.any?(ask(echo, name(from), {:inbox}), fn
      {:info, {:DOWN, _ref, :process, _object, ^reason}} -> true
      {:info, {:EXIT, _pid, ^reason}} -> true
      _other -> false
    end)
  end

  defp applied(echo, asker, node, [module, function, arguments], ms) do
    ask(echo, {:asker, asker}, {:rpc, node, module, function, arguments, ms})
  end

  defp expected(echo, node, mfa, ms) do
    run(echo, Probe, :attempt, [:erpc, :call, [node | mfa] ++ [ms]])
  end

  defp worker(echo, node, before) do
    now = run(echo, :erpc, :call, [node, :erlang, :processes, []])
    alive? = &run(echo, :erpc, :call, [node, :erlang, :is_process_alive, [&1]])
    assert [worker | _] = Enum.filter(now -- before, alive?)
    worker
  end

  # Without the places in source files.
  defp plain({:error, {:exception, reason, stack}}) do
    {:error, {:exception, reason, for({m, f, a, _place} <- stack, do: {m, f, a})}}
  end

  defp plain(outcome), do: outcome
end
