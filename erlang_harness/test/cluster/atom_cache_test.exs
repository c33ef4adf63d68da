defmodule Minotaur.Cluster.AtomCacheTest do
  @moduledoc """
  A long conversation about more atoms than a connection's cache has slots, so that both ends give
  slots anew all the time: every term comes back as it was. `cnode-echo` interns no atom and a
  BEAM compares terms by their atoms, so one wrong slot is seen.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.EchoHelper, only: [name: 1, run: 4]

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.Cluster.Manager

  @messages 1_500

  setup ctx do
    cluster = start_supervised!({Manager, ctx})
    c = for _ <- 1..2, do: Cluster.start_node(cluster, kind: :echo)
    {:ok, driver} = Manager.route(cluster, hd(c))
    {:ok, echo: %{driver: driver}, c: c}
  end

  test "no atom is taken for another one in a long conversation", %{echo: echo, c: [c, _]} do
    for seed <- 1..3 do
      arguments = [name(c), seed, @messages]
      assert run(echo, Minotaur.AtomTalk, :differences, arguments) == {@messages, []}
    end
  end

  # Each C node gives slots of its own to the atoms it passes on.
  test "nor when it passes through two C nodes", %{echo: echo, c: [c, other]} do
    arguments = [{name(c), name(other)}, 4, @messages]
    assert run(echo, Minotaur.AtomTalk, :differences, arguments) == {@messages, []}
  end
end
