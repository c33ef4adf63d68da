defmodule Minotaur.Bench.Report do
  @moduledoc """
  Figures as Markdown, and the marked sections of BENCH.md.

  A section lies between `<!-- bench NAME: begin -->` and `<!-- bench NAME: end -->`. What is
  outside of it stays.
  """

  alias Minotaur.Bench.Os

  # Above it something else is running.
  @load_max 1.5

  @type direction :: :at_most | :at_least

  @doc "Tells how the measurement gets on."
  @spec say(String.t()) :: :ok
  def say(text), do: IO.puts(:stderr, "   #{text}")

  @doc "Where and when: the machine, the versions, the load before and after; then `conditions`."
  @spec head(float, [String.t()]) :: [String.t()]
  def head(load_before, conditions) do
    release = System.otp_release()
    flavour = :erlang.system_info(:emu_flavor)

    now =
      DateTime.utc_now() |> DateTime.truncate(:second) |> Calendar.strftime("%Y-%m-%d %H:%M UTC")

    load = "load #{number(load_before, 1)} before, #{number(Os.load(), 1)} after"
    beam = "OTP #{release} (#{flavour}), Elixir #{System.version()}"
    where = ["#{now}, #{Os.machine()}, #{beam}, #{load}." | warning(load_before)]
    Enum.intersperse(where ++ conditions, "") ++ [""]
  end

  defp warning(load) when load > @load_max,
    do: ["**The machine was busy with other work: no measurement of speed, only a first look.**"]

  defp warning(_load), do: []

  @doc "A table."
  @spec table([String.t()], [[String.t()]]) :: [String.t()]
  def table(head, rows) do
    rule = for _column <- head, do: "---"
    for(row <- [head, rule | rows], do: "| #{Enum.join(row, " | ")} |") ++ [""]
  end

  @doc "`BEAM → C (ratio)`: medians of the figures, and of their ratios."
  @spec cell([number], [number], non_neg_integer) :: String.t()
  def cell(beam, c, digits) do
    ratio = median(ratios(beam, c))
    "#{number(median(beam), digits)} → #{number(median(c), digits)} (#{number(ratio, 2)})"
  end

  @doc "The ratios of two rows of figures."
  @spec ratios([number], [number]) :: [float]
  def ratios(beam, c), do: for({b, c} <- Enum.zip(beam, c), do: c / max(b, 1.0e-9))

  @doc "A row of the table of goals: the median of some measured values against a limit."
  @spec goal_row(String.t(), [number], direction, number) :: [String.t()]
  def goal_row(name, values, direction, limit) do
    value = median(values)
    met? = if direction == :at_most, do: value <= limit, else: value >= limit
    sign = if direction == :at_most, do: "≤", else: "≥"
    range = "#{number(Enum.min(values), 2)} to #{number(Enum.max(values), 2)}"

    [
      name,
      "#{sign} #{limit}",
      "#{number(value, 2)} (#{range})",
      if(met?, do: "yes", else: "**no**")
    ]
  end

  @doc "The table of goals."
  @spec goal_table([[String.t()]]) :: [String.t()]
  def goal_table(rows),
    do: table(["C node by BEAM node", "asked", "measured", "reached"], rows)

  @doc "The middle one, or the mean of both."
  @spec median([number]) :: float
  def median(values) do
    sorted = Enum.sort(values)
    count = length(sorted)
    (Enum.at(sorted, div(count - 1, 2)) + Enum.at(sorted, div(count, 2))) / 2
  end

  @doc "A number with this many decimals."
  @spec number(number, non_neg_integer) :: String.t()
  def number(value, 0), do: "#{round(value)}"
  def number(value, digits), do: :erlang.float_to_binary(value / 1, decimals: digits)

  @doc "Puts `lines` into the section `name` of a file."
  @spec write!(Path.t(), String.t(), [String.t()]) :: :ok
  def write!(file, name, lines) do
    [before, rest] = String.split(File.read!(file), marker(name, "begin"), parts: 2)
    [_old, behind] = String.split(rest, marker(name, "end"), parts: 2)
    section = Enum.join([marker(name, "begin"), "" | lines], "\n") <> "\n" <> marker(name, "end")
    File.write!(file, before <> section <> behind)
  end

  defp marker(name, place), do: "<!-- bench #{name}: #{place} -->"
end
