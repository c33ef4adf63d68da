defmodule Minotaur.Cluster.Sample do
  @moduledoc """
  A cluster outside of ExUnit, for the test that kills the VM which owns it.
  """

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper

  @doc """
  Builds a cluster of nodes of these kinds, says so, and stays until it is killed or its standard
  input ends: whoever started it is gone then.
  """
  @spec run([:beam | :c]) :: no_return
  def run(kinds) do
    {:ok, cluster} = Manager.start_link(%{})
    nodes = for kind <- kinds, do: ClusterHelper.start_node(cluster, kind: kind)
    IO.puts("cluster of #{length(nodes)} nodes at #{System.pid()}")
    IO.read(:stdio, :eof)
    GenServer.stop(cluster)
    System.halt(0)
  end
end
