defmodule Minotaur.Handoff.Inquiry do
  @moduledoc """
  A session's question to all other hosts: who owns it, if I do not?

  It is asked by a process of its own, for a session never waits; the answer is the reason of that
  process' end. A host that does not answer in a second counts as one that knows nobody. How it
  fails: as if nobody knew anybody.
  """

  alias Minotaur.SessionHost

  @ask_ms 1_000

  @typedoc "The process that asks, and the calling process' monitor of it."
  @type t :: {pid, reference}

  @doc "Asks for a process of the session `id` that is neither the caller nor one of `except`."
  @spec ask(term, [pid]) :: t
  def ask(id, except) do
    nobody = [self() | except]
    spawn_monitor(fn -> exit({__MODULE__, find(id, nobody)}) end)
  end

  @doc "Tells that process `message`, if there is one."
  @spec tell(term, term) :: :ok
  def tell(id, message) do
    own = self()
    spawn(fn -> if pid = find(id, [own]), do: send(pid, message) end)
    :ok
  end

  @doc "What came of it, from the reason of the asking process' end: a pid or nil."
  @spec answer(term) :: pid | nil
  def answer({__MODULE__, pid}), do: pid
  def answer(_broke_off), do: nil

  defp find(id, nobody) do
    others = for %{node: node} <- hosts(), node != node(), do: node
    request = {:whereis, {:id, id}}
    {answers, _silent} = GenServer.multi_call(others, SessionHost, request, @ask_ms)
    Enum.find_value(answers, fn {_node, pid} -> if is_pid(pid) and pid not in nobody, do: pid end)
  end

  defp hosts do
    GenServer.call(SessionHost, :hosts)
  catch
    :exit, _reason -> []
  end
end
