defmodule Minotaur.TimeHelper do
  @moduledoc """
  Waits for conditions, so that no test waits for time.
  """

  # For a busy machine: no test passes sooner for waiting less.
  @deadline_ms 20_000
  @pause_ms 10

  @doc """
  Calls `fun` until none of its assertions fails, and returns what it returned.

  After `deadline_ms` milliseconds (#{@deadline_ms} by default) the last failure is raised again,
  with the stack trace of the place in `fun` where it happened. Exits (a `GenServer.call` to a
  process that is not there yet) and throws count as failures too.
  """
  @spec wait_until(fun, non_neg_integer) :: term
  def wait_until(fun, deadline_ms \\ @deadline_ms) when is_function(fun, 0) do
    poll(fun, System.monotonic_time(:millisecond) + deadline_ms)
  end

  defp poll(fun, deadline) do
    case attempt(fun) do
      {:ok, result} -> result
      failure -> poll_again(fun, deadline, failure)
    end
  end

  defp poll_again(fun, deadline, {kind, reason, stacktrace}) do
    if System.monotonic_time(:millisecond) >= deadline do
      :erlang.raise(kind, reason, stacktrace)
    else
      pause()
      poll(fun, deadline)
    end
  end

  # Leaves the caller's messages where they are.
  defp pause do
    receive do
    after
      @pause_ms -> :ok
    end
  end

  defp attempt(fun) do
    {:ok, fun.()}
  catch
    kind, reason -> {kind, reason, __STACKTRACE__}
  end
end
