defmodule Minotaur.Handoff.Inquiry do
  @moduledoc """
  A session's question to all other hosts: who owns it, if I do not, or has it ended?

  It is asked by a process of its own, for a session never waits; the answer is the reason of that
  process' end. A host that does not answer in a second counts as one that knows nobody. How it
  fails: as if nobody knew anybody.
  """

  alias Minotaur.GameEngine.{EndedSessions, Session}
  alias Minotaur.SessionHost

  @ask_ms 1_000
  # Who passes a question on has less time than who asked.
  @relay_ms 700

  @typedoc "The process that asks, and the calling process' monitor of it."
  @type t :: {pid, reference}

  @doc """
  Asks for a process of the calling session that is neither the caller nor one of `except`; or
  whether it has ended since `since_ms` (`System.monotonic_time/1`), when it stopped here. The node
  of `lost` is asked, too: one that is just back has not said hello yet; and by way of the others,
  for they may reach it: an owner there is an answer, one of `except` or not.
  """
  @spec ask(Session.t(), [pid], pid, integer) :: t
  def ask(session, except, lost, since_ms) do
    nobody = [self() | except]

    spawn_monitor(fn ->
      lost = node(lost)
      hosts = Enum.uniq([lost | hosts()])
      exit({__MODULE__, find_or_end(session, hosts, lost, nobody, since_ms)})
    end)
  end

  @doc "Tells that process `message`, if there is one."
  @spec tell(term, term) :: :ok
  def tell(id, message) do
    own = self()

    spawn(fn ->
      with {pid, _} when is_pid(pid) <- find(id, hosts(), [own]), do: send(pid, message)
    end)

    :ok
  end

  @doc "Answers `from` what the hosts on `nodes` say: the owner of a session there, or nil."
  @spec relay(term, [node], GenServer.from()) :: :ok
  def relay(id, nodes, from) do
    spawn(fn ->
      {answers, _silent} = GenServer.multi_call(nodes, SessionHost, {:owner, id}, @relay_ms)
      GenServer.reply(from, Enum.find_value(answers, &somebody(&1, [])))
    end)

    :ok
  end

  @doc "What came of it, from the reason of the asking process' end: a pid, `:ended` or nil."
  @spec answer(term) :: pid | :ended | nil
  def answer({__MODULE__, answer}), do: answer
  def answer(_broke_off), do: nil

  defp find_or_end(session, hosts, lost, nobody, since_ms) do
    with {nil, hosts} <- find(session.id, hosts, nobody),
         nil <- owner(session.id, hosts, lost, hd(nobody)) do
      own = {node(), EndedSessions.find(session.id)}
      answers = [own | ask_all(hosts, {:ended, session.id})]
      stopped_ms = System.monotonic_time(:millisecond) - since_ms
      if Enum.any?(answers, &means_it?(&1, session.epoch, stopped_ms)), do: :ended
    else
      {pid, _hosts} -> pid
      pid -> pid
    end
  end

  # The owner on the node that seems lost, by its own word or that of who reaches it.
  defp owner(id, hosts, lost, own) do
    there = if lost in hosts, do: ask_all([lost], {:owner, id}), else: []
    answers = there ++ ask_all(hosts -- [lost], {:owner, id, lost})
    Enum.find_value(answers, &somebody(&1, [own]))
  end

  # An earlier session of the same id had ended before this one stopped, or was of a lower epoch.
  defp means_it?({_node, {:ended, at_epoch, age_ms}}, epoch, stopped_ms),
    do: at_epoch >= epoch and age_ms <= stopped_ms

  defp means_it?(_nil_or_unknown, _epoch, _stopped_ms), do: false

  # Who it is, and which hosts have answered. Owners alone: what a forwarder believes may lead to
  # one who is lost, or back.
  defp find(id, hosts, nobody) do
    answers = ask_all(hosts, {:owner, id})
    {Enum.find_value(answers, &somebody(&1, nobody)), Keyword.keys(answers)}
  end

  defp somebody({_node, pid}, nobody), do: if(is_pid(pid) and pid not in nobody, do: pid)

  defp ask_all(nodes, request) do
    {answers, _silent} = GenServer.multi_call(nodes -- [node()], SessionHost, request, @ask_ms)
    answers
  end

  defp hosts do
    for %{node: node} <- GenServer.call(SessionHost, :hosts), do: node
  catch
    :exit, _reason -> []
  end
end
