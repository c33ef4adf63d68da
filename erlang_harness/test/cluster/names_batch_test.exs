defmodule Minotaur.Cluster.NamesBatchTest do
  @moduledoc """
  Many names of `:global` that move under one lock, away from a BEAM node.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Players, Probe}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine.Names

  @count 600

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    env = [minotaur: [round_seconds: 0]]
    [a, b] = for _ <- 1..2, do: Cluster.start_node(cluster, kind: :beam, environment: env)
    c = Cluster.start_node(cluster, kind: :c, environment: env)
    Cluster.await_global(cluster, [a, b, c])
    [cluster: cluster, a: a, nodes: [a, b, c]]
  end

  # All of them, for whoever asks, on all nodes; and :global is free for others at once.
  test "names move to a process elsewhere, with none missing at any time", ctx do
    [a, b, c] = ctx.nodes
    names = for index <- 1..@count, do: {:batch, index}
    old = for _ <- names, do: start_process(ctx, a)
    new = for _ <- names, do: start_process(ctx, b)

    move(ctx, Enum.zip(names, old))
    watcher = Task.async(fn -> watch(ctx, b, hd(names), hd(new)) end)

    names
    |> Enum.zip(new)
    |> Enum.chunk_every(div(@count, 3))
    |> Enum.map(&Task.async(fn -> move(ctx, &1) end))
    |> Task.await_many(60_000)

    assert Task.await(watcher, 60_000) == :never_missing

    for node <- [a, b, c], {name, pid} <- Enum.take_random(Enum.zip(names, new), 30) do
      wait_until(fn -> assert whereis(ctx, node, name) == pid end)
    end

    arguments = [{:global, self()}, &:erlang.node/0, ctx.nodes, 0]
    wait_until(fn -> assert Cluster.call(ctx.cluster, a, :global, :trans, arguments) == a end)
  end

  # Nobody waits for who has ended; the next one is served.
  test "who waits exits when the moving process does", ctx do
    holder = Cluster.call(ctx.cluster, ctx.a, Players, :hold_names)
    mover = Task.async(fn -> attempt_move(ctx, [{:lost, holder}]) end)
    batch = Cluster.call(ctx.cluster, ctx.a, Process, :whereis, [Names.Batch])

    wait_until(fn ->
      arguments = [batch, :monitors]
      {:monitors, [process: worker]} = Cluster.call(ctx.cluster, ctx.a, Process, :info, arguments)
      Cluster.call(ctx.cluster, ctx.a, Process, :exit, [worker, :kill])
    end)

    assert {:exit, :killed} = Task.await(mover, 30_000)
    Cluster.call(ctx.cluster, ctx.a, Players, :release_names, [holder])
    assert move(ctx, [{:kept, batch}]) == :ok
    assert whereis(ctx, ctx.a, :kept) == batch
  end

  # Whoever holds the lock keeps it until he has done.
  test "the lock of another is waited for", ctx do
    # An Agent whose state is the id of the lock, which it gives to :global as the first argument.
    id = {:global, :another}
    {:ok, holder} = Cluster.call(ctx.cluster, ctx.a, Agent, :start, [Function, :identity, [id]])
    ask = &Cluster.call(ctx.cluster, ctx.a, Agent, :get, [holder, :global, &1, &2])
    # Those that have just joined may hold it for a moment.
    wait_until(fn -> assert ask.(:set_lock, [ctx.nodes, 0]) end)

    mover = Task.async(fn -> move(ctx, [{:locked, holder}]) end)
    await_refused(ctx)
    assert whereis(ctx, ctx.a, :locked) == :undefined
    assert ask.(:del_lock, [ctx.nodes])
    assert Task.await(mover, 30_000) == :ok
    assert whereis(ctx, ctx.a, :locked) == holder
  end

  defp move(ctx, moves), do: Cluster.call(ctx.cluster, ctx.a, Names.Batch, :move, [moves])

  # Its worker has been refused the lock, and pauses before it tries again.
  defp await_refused(ctx) do
    batch = Cluster.call(ctx.cluster, ctx.a, Process, :whereis, [Names.Batch])
    info = &Cluster.call(ctx.cluster, ctx.a, Process, :info, &1)

    wait_until(fn ->
      {:monitors, [process: worker]} = info.([batch, :monitors])
      {:current_stacktrace, stack} = info.([worker, :current_stacktrace])
      assert Enum.any?(stack, &match?({Process, :sleep, 1, _}, &1))
    end)
  end

  defp attempt_move(ctx, moves) do
    Cluster.call(ctx.cluster, ctx.a, Probe, :attempt, [Names.Batch, :move, [moves]])
  end

  defp start_process(ctx, node) do
    {:ok, pid} = Cluster.call(ctx.cluster, node, Agent, :start, [:erlang, :self, []])
    pid
  end

  defp whereis(ctx, node, name),
    do: Cluster.call(ctx.cluster, node, :global, :whereis_name, [name])

  # Looks until the name has arrived.
  defp watch(ctx, node, name, new) do
    case whereis(ctx, node, name) do
      ^new -> :never_missing
      pid when is_pid(pid) -> watch(ctx, node, name, new)
      :undefined -> :missing
    end
  end
end
