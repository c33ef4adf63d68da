defmodule Minotaur do
  @moduledoc """
  Follow a game from any process of the cluster, a LiveView say, wherever its session lives.

      def mount(%{"id" => id}, _session, socket) do
        if connected?(socket), do: Minotaur.subscribe(id)
        {:ok, game} = Minotaur.GameEngine.get_game(id)
        {:ok, assign(socket, id: id, game: game)}
      end

      def handle_info({event, id, _}, socket) when event in [:next_round_started, :session_moved] do
        {:ok, game} = Minotaur.GameEngine.get_game(id)
        {:noreply, assign(socket, game: game)}
      end

  A subscriber gets, once each:

  * `{:next_round_started, id, round}` when a round has begun, or the last one has ended the game;
  * `{:session_moved, id, pid}` when another process owns the session: its host has left. The
    functions of `Minotaur.GameEngine` find it without being told; whoever keeps the pid does not.

  The first says nothing of the game: subscribers fetch it. The two come from two processes while a
  session moves, so that the last round of the old owner may come after the word of the new one.
  """

  alias Minotaur.PubSub

  @doc """
  Sends the events of a session to the calling process from now on. Asking again changes nothing;
  the end of the process ends it. The session need not live yet.
  """
  @spec subscribe(Minotaur.GameEngine.id()) :: :ok
  def subscribe(id), do: PubSub.join(id, self())

  @doc "Sends no more of them."
  @spec unsubscribe(Minotaur.GameEngine.id()) :: :ok
  def unsubscribe(id), do: PubSub.leave(id, self())
end
