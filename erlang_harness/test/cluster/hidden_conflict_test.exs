defmodule Minotaur.Cluster.HiddenConflictTest do
  @moduledoc """
  Two parts of a cluster that have never met have given one name away, one of them for a hidden C
  node. When they become one, what the public API promises happens: both are told, once, nobody
  keeps the name, not even after an audit, and nobody is killed. Whichever side resolves it.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, Probe}
  alias Minotaur.ClusterHelper, as: Cluster

  @settle_ms 60_000

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  for {first, second} <- [
        {:hidden, :beam},
        {:beam, :hidden},
        {:hidden, :visible},
        {:visible, :hidden},
        {:hidden, :hidden}
      ] do
    test "a name that a #{first} and a #{second} node took apart is told to both", ctx do
      # The side of the lesser BEAM resolves it, at the node that has the name there.
      sides = [one, two] = [side(ctx, unquote(first), "a"), side(ctx, unquote(second), "z")]
      true = Cluster.call(ctx.cluster, one.beam, Node, :connect, [two.beam])

      words =
        for {side, other} <- [{one, two}, {two, one}] do
          conflict = {:global_name_conflict, :name, other.pid}
          wait_until(fn -> assert told(ctx, side) == [conflict] end, @settle_ms)
          # An inbox is emptied when it is read.
          if side.kind == :beam, do: {side, [conflict]}, else: {side, []}
        end

      assert_nobody(ctx, sides)
      for %{kind: :hidden} = side <- sides, do: audit(ctx, side)
      assert_nobody(ctx, sides)

      for {side, told} <- words do
        assert told(ctx, side) == told
        assert Cluster.call(ctx.cluster, side.node, Process, :alive?, [side.pid])
      end
    end
  end

  # A BEAM node, and who has the name there.
  defp side(ctx, :beam, letter) do
    beam = start(ctx, kind: :beam, letter: letter)
    pid = Probe.start(ctx.cluster, beam)
    arguments = [:name, pid, &:global.notify_all_name/3]
    assert Cluster.call(ctx.cluster, beam, :global, :register_name, arguments) == :yes
    %{kind: :beam, beam: beam, node: beam, pid: pid}
  end

  defp side(ctx, kind, letter) do
    beam = start(ctx, kind: :beam, letter: letter)
    node = start(ctx, kind: :echo, letter: letter, connect: [beam], hidden: kind == :hidden)
    pid = Cluster.call(ctx.cluster, node, :erlang, :whereis, [:namer])
    side = %{kind: kind, beam: beam, node: node, pid: pid}
    # Not before the BEAM is known there: it is had through it.
    wait_until(fn ->
      assert beam in Cluster.call(ctx.cluster, node, :erlang, :nodes, [:connected])
    end)

    changes = for name <- [:name, {:marker, node}], do: {:register, name, pid}
    assert namer(ctx, node, {:change, changes}) == [:yes, :yes]
    for {_, name, _} <- changes, do: await_name(ctx, beam, name, pid)
    side
  end

  defp start(ctx, options) do
    {letter, options} = Keyword.pop!(options, :letter)
    name = :"#{letter}#{System.unique_integer([:positive])}@127.0.0.1"
    options = Keyword.merge([applications: [], connect: [], name: name], options)
    {:ok, node} = Manager.start_node(ctx.cluster, options)
    node
  end

  # A BEAM that loses its link to the hidden node forgets its names: when they are back, all names
  # that the node cares for have been looked at.
  defp audit(ctx, side) do
    probe = Probe.start(ctx.cluster, side.beam)
    true = Probe.run!(ctx.cluster, probe, Node, :monitor, [side.node, true])
    Cluster.call(ctx.cluster, side.beam, Node, :disconnect, [side.node])
    Probe.await(ctx.cluster, probe, {:nodedown, side.node})
    wait_until(fn -> assert Cluster.call(ctx.cluster, side.beam, Node, :connect, [side.node]) end)
    await_name(ctx, side.beam, {:marker, side.node}, side.pid)
  end

  defp await_name(ctx, beam, name, pid) do
    wait_until(
      fn -> assert Cluster.call(ctx.cluster, beam, :global, :whereis_name, [name]) == pid end,
      @settle_ms
    )
  end

  defp assert_nobody(ctx, sides),
    do: for(side <- sides, do: await_name(ctx, side.beam, :name, :undefined))

  defp told(ctx, %{kind: :beam} = side), do: Probe.messages(ctx.cluster, side.pid)
  defp told(ctx, side), do: for({:info, message} <- namer(ctx, side.node, :inbox), do: message)

  defp namer(ctx, node, request),
    do: Cluster.genserver_call(ctx.cluster, node, {:namer, node}, request)
end
