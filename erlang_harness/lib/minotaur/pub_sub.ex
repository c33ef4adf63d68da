defmodule Minotaur.PubSub do
  @moduledoc """
  Who wants to hear of a session, and telling them.

  Subscribers are the members of the group `{:session, id}` of an OTP `:pg` scope of this name, in
  which C nodes are members too. The process that owns the session sends to each of them; that it is
  the owner is what makes an event come once (see `cnode/session/PROTOCOL.md`).

  Where `config :minotaur, pubsub: MyApp.PubSub` is set, each event is broadcast on the topic
  `"session:" <> id` of that `Phoenix.PubSub` as well, by its default adapter: one message for each
  of its processes in the scope `Phoenix.PubSub`, this node's included.

  How it fails: when the scope's process is killed, its node's subscribers are forgotten, as in any
  `:pg` scope; they are to subscribe again.
  """

  alias Minotaur.Settings

  @phoenix Phoenix.PubSub
  @offered_max 1_000

  @doc false
  def child_spec(_options), do: scope_spec(__MODULE__)

  @doc """
  The scope of Phoenix's adapter, for a host that speaks to it and does not run it: nobody else
  starts it there. No children otherwise.
  """
  @spec phoenix_children :: [Supervisor.child_spec()]
  def phoenix_children do
    if Settings.pubsub() == nil or Code.ensure_loaded?(@phoenix),
      do: [],
      else: [scope_spec(@phoenix)]
  end

  @doc "Makes `pid`, a process of this node, a subscriber."
  @spec join(term, pid) :: :ok
  def join(id, pid) do
    if pid in :pg.get_local_members(__MODULE__, group(id)),
      do: :ok,
      else: :pg.join(__MODULE__, group(id), pid)
  end

  @doc "Ends that."
  @spec leave(term, pid) :: :ok
  def leave(id, pid) do
    :pg.leave(__MODULE__, group(id), pid)
    :ok
  end

  @doc "Tells that a round of the calling process' session has begun."
  @spec round_started(term, pos_integer) :: :ok
  def round_started(id, round), do: publish(id, {:next_round_started, id, round})

  @doc """
  Tells that the calling process owns the session now: its subscribers, and those that its source
  knew (`offered`) and this node does not, for it has just come.
  """
  @spec session_moved(term, [pid]) :: :ok
  def session_moved(id, offered \\ []) do
    event = {:session_moved, id, self()}
    strangers = offered -- :pg.get_members(__MODULE__, group(id))
    publish(id, event)
    Enum.each(strangers, &tell_stranger(&1, event))
  end

  @doc "Tells that the calling process owns it no more, but `owner`."
  @spec session_moved_to(term, pid) :: :ok
  def session_moved_to(id, owner), do: publish(id, {:session_moved, id, owner})

  @doc "The subscribers of a session, as far as an offer names them."
  @spec offered(term) :: [pid]
  def offered(id) do
    :pg.get_members(__MODULE__, group(id)) |> Enum.uniq() |> Enum.take(@offered_max)
  end

  defp publish(id, event) do
    send_each(:pg.get_members(__MODULE__, group(id)), event)
    publish_to_phoenix(Settings.pubsub(), id, event)
  end

  defp publish_to_phoenix(nil, _id, _event), do: :ok

  defp publish_to_phoenix(name, id, event) do
    adapters = :pg.get_members(@phoenix, Module.concat(name, "Adapter"))
    send_each(adapters, {:forward_to_local, "session:#{id}", event, @phoenix})
  end

  # A process that joined twice is one subscriber.
  defp send_each(pids, message), do: pids |> Enum.uniq() |> Enum.each(&tell(&1, message))

  # A node that does not read must not hold the game up: then a task waits for it.
  defp tell(pid, message) do
    if :erlang.send(pid, message, [:noconnect, :nosuspend]) == :nosuspend,
      do: tell_stranger(pid, message)
  end

  # Waits for the connection, and for room in it.
  defp tell_stranger(pid, message) do
    Task.Supervisor.start_child(Minotaur.TaskSupervisor, fn -> send(pid, message) end)
  end

  defp group(id), do: {:session, id}

  defp scope_spec(scope), do: %{id: {:pg, scope}, start: {:pg, :start_link, [scope]}}
end
