defmodule Minotaur.Bench do
  @moduledoc """
  What `scripts/bench` runs: `main([NAME, option...])`, with a name of the table below.

  Options: `--quick` (a look, not a measurement), `--counts 200,1000`, `--pairs c-beam,c-c` and
  `--callers member,hidden` (some rows only, of `drain`), `--write FILE` (puts the figures into the
  section of that name), `--revision TEXT` (what was measured), `--command TEXT` (how).
  """

  alias Minotaur.Bench.{Calls, Drain, Global, Report, Sessions, Streams}

  @benches %{
    "calls" => Calls,
    "streams" => Streams,
    "drain" => Drain,
    "global" => Global,
    "sessions" => Sessions
  }
  @switches [
    quick: :boolean,
    counts: :string,
    pairs: :string,
    callers: :string,
    write: :string,
    revision: :string,
    command: :string
  ]

  @doc "Measures, prints, and ends the VM."
  @spec main([String.t()]) :: no_return
  def main(arguments) do
    {options, [name]} = OptionParser.parse!(arguments, strict: @switches)
    lines = @benches[name].run(Map.new(options))
    lines = ["`#{options[:command]}` on #{options[:revision]}.", "" | lines]
    Enum.each(lines, &IO.puts/1)
    if options[:write], do: Report.write!(options[:write], name, lines)
    System.halt(0)
  end
end
