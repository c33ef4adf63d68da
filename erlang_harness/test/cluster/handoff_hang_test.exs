defmodule Minotaur.Cluster.HandoffHangTest do
  @moduledoc """
  One side of a handoff goes no further and keeps its connection, at each step, for each pairing: it
  leaves a step out, or its whole node stands still and goes on when everybody has done without it.
  In the end each session has one owner, and each of its callers got one answer.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 180_000

  import Minotaur.Cluster.HandoffHelper
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, OsProcess, Probe}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.Hosts

  @sources ~w(out_accept out_ready out_names out_active)
  @targets ~w(in_offer in_state in_digest in_activate in_active)

  setup ctx do
    cluster = start_supervised!({Manager, ctx})
    [cluster: cluster, third: start_third(cluster)]
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    # Copies end that have heard nothing for 10 s, or 15; the ones that were told to run do.
    @tag kind1: kind1, kind2: kind2
    test "a #{kind2} target of #{kind1} sources that hang keeps what it was told to run", ctx do
      target = start_host(ctx, ctx.kind2)
      failing = for point <- @sources, action <- ["silent", "stop"], do: {point, action}
      sources = for failpoint <- failing, do: start_failing(ctx, ctx.kind1, failpoint)
      moves = for source <- sources, do: prepare(ctx, source, source.node, target)
      moves = for move <- moves, do: begin(ctx, move)
      wait_until(fn -> assert session_processes(ctx, target) == 2 end, 40_000)
      for move <- moves, move.action == "stop", do: OsProcess.signal(move.os_pid, :cont)

      for %{point: point, action: action, from: source} = move <- moves do
        epoch = if {point, action} == {"out_accept", "silent"}, do: 1, else: 2
        assert_owner(ctx, move, if(point == "out_active", do: target, else: source), epoch)
      end
    end
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    # The source waits 5 s, asks whether somebody else owns the session, and goes on with it.
    @tag kind1: kind1, kind2: kind2
    test "a #{kind1} source of #{kind2} targets that hang keeps all, what ran there, too", ctx do
      source = start_host(ctx, ctx.kind1)
      targets = for point <- @targets, do: start_failing(ctx, ctx.kind2, {point, "stop"})
      moves = for target <- targets, do: prepare(ctx, target, source, target.node)
      moves = for move <- moves, do: begin(ctx, move)

      for %{point: point} = move <- moves do
        expected = if point == "in_offer", do: :unreachable, else: :handoff_failed
        assert Task.await(move.task, :infinity) == {:ok, {:error, expected}}
      end

      for move <- moves, do: OsProcess.signal(move.os_pid, :cont)

      for %{point: point} = move <- moves do
        assert_owner(ctx, move, source, if(point == "in_offer", do: 1, else: 2))
      end
    end
  end

  defp start_failing(ctx, kind, {point, action}) do
    node = start_host(ctx, kind, "#{point}=#{action}")
    os_pid = Cluster.os_pid(ctx.cluster, node)
    %{point: point, action: action, node: node, os_pid: os_pid}
  end

  # A session on `source` that will go to `target`; `failing` is one of them.
  defp prepare(ctx, failing, source, target) do
    game = start_session(ctx, source, [target])
    old = on_third(ctx, :whereis, [game.id])
    Map.merge(failing, %{from: source, to: target, id: game.id, old: old})
  end

  # It moves as far as it gets; then three clients call its old process.
  defp begin(ctx, move) do
    copies = if move.action == "silent", do: session_processes(ctx, move.to)
    task = Task.async(fn -> attempt(ctx, Hosts, :move, [move.id, move.to]) end)
    wait_until(fn -> assert hangs?(ctx, move, copies) end)
    Map.merge(move, %{task: task, calls: start_calls(ctx, move)})
  end

  defp hangs?(_ctx, %{action: "stop", os_pid: os_pid}, _copies), do: OsProcess.stopped?(os_pid)
  defp hangs?(ctx, move, copies), do: session_processes(ctx, move.to) > copies

  # Whoever has the session answers.
  defp start_calls(ctx, move) do
    for _ <- 1..3, do: Task.async(fn -> attempt(ctx, GenServer, :call, call(move)) end)
  end

  defp call(move), do: [move.old, :end_round, :infinity]

  # Nobody else has it, each call was carried out and answered once, and the names lead there.
  defp assert_owner(ctx, %{id: id} = move, owner, epoch) do
    answers = Task.await_many(move.calls, :infinity)
    assert [2, 3, 4] == Enum.sort(for {:ok, %{round: round}} <- answers, do: round)
    other = if owner == move.from, do: move.to, else: move.from
    wait_until(fn -> assert [%{epoch: ^epoch}] = owned(ctx, owner, id) end, 30_000)
    wait_until(fn -> assert owned(ctx, other, id) == [] end, 30_000)
    wait_until(fn -> assert node(on_third(ctx, :whereis, [id])) == owner end, 30_000)
    assert {:ok, %{round: 4}} = on_third(ctx, :get_game, [id])
  end

  defp owned(ctx, node, id), do: Enum.filter(sessions(ctx, node), &(&1.id == id))

  # On the third node, however long it takes: a move may never end.
  defp attempt(ctx, module, function, arguments) do
    {:ok, peer} = Manager.route(ctx.cluster, ctx.third)
    call = [ctx.third, Probe, :attempt, [module, function, arguments], :infinity]
    :peer.call(peer, :erpc, :call, call, :infinity)
  end
end
