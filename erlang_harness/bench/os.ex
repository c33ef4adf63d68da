defmodule Minotaur.Bench.Os do
  @moduledoc """
  What Linux says about processes and the machine.

  CPU time is read from `/proc/PID/task/*/schedstat`, which counts nanoseconds; the clock ticks of
  `/proc/PID/stat` are 10 ms, too coarse for a server that needs 20 of them in a second.
  """

  @tick_ns 10_000_000

  @doc "The CPU time that a process has used so far, in nanoseconds, all threads together."
  @spec cpu_ns(pos_integer) :: non_neg_integer
  def cpu_ns(os_pid) do
    case Path.wildcard("/proc/#{os_pid}/task/*/schedstat") do
      [] -> ticks(os_pid) * @tick_ns
      files -> Enum.sum(Enum.map(files, &run_ns/1))
    end
  end

  @doc "Forgets the highest memory use of a process, so that `peak_bytes/1` begins anew."
  @spec forget_peak(pos_integer) :: :ok
  def forget_peak(os_pid), do: File.write!("/proc/#{os_pid}/clear_refs", "5")

  @doc "The highest resident memory of a process since `forget_peak/1`."
  @spec peak_bytes(pos_integer) :: non_neg_integer
  def peak_bytes(os_pid), do: status_bytes(os_pid, "VmHWM")

  @doc "The resident memory of a process now."
  @spec resident_bytes(pos_integer) :: non_neg_integer
  def resident_bytes(os_pid), do: status_bytes(os_pid, "VmRSS")

  @doc "The processors that this process may use."
  @spec cpus :: [non_neg_integer]
  def cpus do
    "self" |> status("Cpus_allowed_list") |> String.split(",") |> Enum.flat_map(&range/1)
  end

  @doc "The load of the last minute."
  @spec load :: float
  def load do
    "/proc/loadavg" |> File.read!() |> Float.parse() |> elem(0)
  end

  @doc "The machine in a line."
  @spec machine :: String.t()
  def machine do
    [model] =
      Regex.run(~r/^model name\s*: (.*)$/m, File.read!("/proc/cpuinfo"), capture: :all_but_first)

    kernel = "/proc/sys/kernel/osrelease" |> File.read!() |> String.trim()
    "#{length(cpus())} processors (#{model}), Linux #{kernel}"
  end

  # A thread that has just ended took its file with it.
  defp run_ns(file) do
    case File.read(file) do
      {:ok, text} -> text |> Integer.parse() |> elem(0)
      {:error, _ended} -> 0
    end
  end

  # Fields 14 and 15, counted behind the name, which may contain spaces.
  defp ticks(os_pid) do
    [_name, rest] = String.split(File.read!("/proc/#{os_pid}/stat"), ") ", parts: 2)
    [user, system] = rest |> String.split(" ") |> Enum.slice(11, 2)
    String.to_integer(user) + String.to_integer(system)
  end

  defp status_bytes(os_pid, field) do
    {kib, " kB"} = os_pid |> status(field) |> Integer.parse()
    kib * 1024
  end

  defp status(os_pid, field) do
    text = File.read!("/proc/#{os_pid}/status")
    [value] = Regex.run(~r/^#{field}:\s*(.*)$/m, text, capture: :all_but_first)
    value
  end

  defp range(text) do
    case String.split(text, "-") do
      [one] -> [String.to_integer(one)]
      [first, last] -> Enum.to_list(String.to_integer(first)..String.to_integer(last))
    end
  end
end
