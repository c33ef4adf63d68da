defmodule Minotaur.Cluster.Logs do
  @moduledoc """
  Where the nodes of a test cluster write their logs: a directory per test below the temporary
  directory, so that `Minotaur.Cluster.LogFormatter` finds them when the test has failed.
  """

  @doc "Makes the directory of the test with this context."
  @spec new!(map) :: Path.t()
  def new!(ctx), do: ctx |> directory() |> make!()

  @doc """
  Makes a directory below `root/0`: the shell of an epmd that ends may take the empty parent away
  between its making and its use, so it is made again then.
  """
  @spec make!(Path.t(), pos_integer) :: Path.t()
  def make!(directory, attempts \\ 5) do
    case File.mkdir_p(directory) do
      {:error, :enoent} when attempts > 1 -> make!(directory, attempts - 1)
      _made_or_not -> File.mkdir_p!(directory)
    end

    directory
  end

  @doc "Whether the logs are kept for the formatter: those of a test are."
  @spec kept?(map) :: boolean
  def kept?(ctx), do: is_map_key(ctx, :module) and is_map_key(ctx, :test)

  @doc "Removes the directory, unless the formatter does."
  @spec release(map, Path.t()) :: :ok
  def release(ctx, directory) do
    unless kept?(ctx) do
      File.rm_rf!(directory)
      File.rmdir(root())
    end

    :ok
  end

  @doc "All logs of a test, `{file name, text}`, and an end to them."
  @spec take(map) :: [{String.t(), String.t()}]
  def take(test) do
    directory = directory(test)
    files = directory |> Path.join("*.log") |> Path.wildcard() |> Enum.sort()
    logs = for file <- files, do: {Path.basename(file, ".log"), File.read!(file)}
    File.rm_rf!(directory)
    logs
  end

  @doc "Below it are all directories of this VM."
  @spec root :: Path.t()
  def root, do: Path.join(System.tmp_dir!(), "minotaur-cluster-#{System.pid()}")

  defp directory(%{module: module, test: test}), do: below_root({module, test})
  defp directory(%{module: module, name: name}), do: below_root({module, name})
  defp directory(_no_test), do: below_root(make_ref())

  defp below_root(key) do
    hash = :crypto.hash(:sha256, :erlang.term_to_binary(key))
    Path.join(root(), hash |> binary_part(0, 8) |> Base.encode16(case: :lower))
  end
end
