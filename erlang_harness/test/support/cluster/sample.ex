defmodule Minotaur.Cluster.Sample do
  @moduledoc """
  A cluster outside of ExUnit, for the test that kills the VM which owns it.
  """

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper

  @doc "Builds a cluster of nodes of these kinds, and a driver; says so; and stays until killed."
  @spec run([:beam | :c]) :: no_return
  def run(kinds) do
    {:ok, cluster} = Manager.start_link(%{})
    for kind <- kinds, do: ClusterHelper.start_node(cluster, kind: kind)
    IO.puts("cluster of #{length(Manager.nodes(cluster))} nodes at #{System.pid()}")
    Process.sleep(:infinity)
  end
end
