defmodule Minotaur.Cluster.OsProcess do
  @moduledoc "Signals to processes of the operating system, and whether they are there."

  @doc "Sends a signal; whether the process was there."
  @spec signal(pos_integer, :term | :kill | :stop | :cont) :: boolean
  def signal(os_pid, signal) do
    name = signal |> Atom.to_string() |> String.upcase()
    {_output, status} = System.cmd("kill", ["-#{name}", "#{os_pid}"], stderr_to_stdout: true)
    status == 0
  end

  @doc "Whether the process is there. One that has ended and was not waited for is not."
  @spec alive?(pos_integer) :: boolean
  def alive?(os_pid) do
    case System.cmd("ps", ["-o", "stat=", "-p", "#{os_pid}"]) do
      {"Z" <> _, 0} -> false
      {_state, status} -> status == 0
    end
  end
end
