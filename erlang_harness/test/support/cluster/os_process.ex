defmodule Minotaur.Cluster.OsProcess do
  @moduledoc """
  Processes of the operating system: their environment, signals, and whether they are there.
  """

  # What the environment of the tests may say to the VM of the tests, not to a node.
  @not_inherited ~w(ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ERL_EPMD_ADDRESS)

  @doc """
  The `:env` option of a port: these variables, and none of those by which the tests' own VM may
  have been told something.
  """
  @spec environment(%{String.t() => term}) :: [{charlist, charlist | false}]
  def environment(variables) do
    own = for {"MINOTAUR_" <> _ = name, _value} <- System.get_env(), name != mark(), do: name

    removed =
      for name <- own ++ @not_inherited, not is_map_key(variables, name), do: {name, false}

    set = for {name, value} <- variables, do: {name, to_charlist(value)}
    for {name, value} <- set ++ removed, do: {to_charlist(name), value}
  end

  @doc "A variable that is inherited, so that all processes of a run can be found by it."
  @spec mark :: String.t()
  def mark, do: "MINOTAUR_HARNESS_TEST"

  @doc "The words that run a program, on these processors alone (`\"0,1\"`) unless nil."
  @spec command(Path.t(), String.t() | nil) :: [String.t()]
  def command(executable, nil), do: [executable]

  def command(executable, cpus),
    do: [System.find_executable("taskset"), "-c", cpus, executable]

  @doc "Sends a signal; whether the process was there."
  @spec signal(pos_integer, :term | :kill | :stop | :cont) :: boolean
  def signal(os_pid, signal) do
    name = signal |> Atom.to_string() |> String.upcase()
    {_output, status} = System.cmd("kill", ["-#{name}", "#{os_pid}"], stderr_to_stdout: true)
    status == 0
  end

  @doc "Whether the process is there. One that has ended and was not waited for is not."
  @spec alive?(pos_integer) :: boolean
  def alive?(os_pid), do: state(os_pid) not in [nil, "Z"]

  @doc "Whether it stands still: a signal has stopped it."
  @spec stopped?(pos_integer) :: boolean
  def stopped?(os_pid), do: state(os_pid) == "T"

  defp state(os_pid) do
    case System.cmd("ps", ["-o", "stat=", "-p", "#{os_pid}"]) do
      {state, 0} -> String.first(state)
      {_nothing, _status} -> nil
    end
  end
end
