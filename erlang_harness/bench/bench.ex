defmodule Minotaur.Bench do
  @moduledoc """
  What `scripts/bench` runs: `main(["calls" | "streams", option...])`.

  Options: `--quick` (a look, not a measurement), `--write FILE` (puts the figures into the section
  of that name), `--revision TEXT` (what was measured), `--command TEXT` (how).
  """

  alias Minotaur.Bench.{Calls, Report, Streams}

  @benches %{"calls" => Calls, "streams" => Streams}
  @switches [quick: :boolean, write: :string, revision: :string, command: :string]

  @doc "Measures, prints, and ends the VM."
  @spec main([String.t()]) :: no_return
  def main(arguments) do
    {options, [name]} = OptionParser.parse!(arguments, strict: @switches)
    lines = @benches[name].run(Keyword.get(options, :quick, false))
    lines = ["`#{options[:command]}` on #{options[:revision]}.", "" | lines]
    Enum.each(lines, &IO.puts/1)
    if options[:write], do: Report.write!(options[:write], name, lines)
    System.halt(0)
  end
end
