defmodule Minotaur.GameEngine do
  @moduledoc """
  What the rest of the application asks of game sessions, on every node of the cluster, wherever
  the session lives.

  A session is found under its names in `:global` (see `Minotaur.GameEngine.Names`); a node that has
  not heard of the name yet asks the other hosts. A call that finds its session gone looks for it
  again, so a session that moves is not noticed, and no update is carried out twice: see
  `Minotaur.GameEngine.SessionCall`. Every call may exit as `GenServer.call/3` does, when the
  session does not answer in 5 s, and answer `{:error, :game_not_alive}`; updates also
  `{:error, :in_doubt}`: the session's node was lost, and nobody knows whether it was carried out.
  """

  alias Minotaur.GameEngine.{LocalSessions, Names, NewGame, Rules, SessionCall, Settings}
  alias Minotaur.GameEngine.StateImport
  alias Minotaur.Handoff.Snapshot
  alias Minotaur.{Placement, SessionHost}

  @lookup_ms 1_000
  @start_ms 10_000
  @games_max 256

  @type id :: String.t()

  @doc """
  Starts a session with a new game of `users`, on the host that the placement names.

  Errors: `:invalid_join_code`, `{:invalid_users, path, reason}`, `:join_code_taken`, `:draining`
  (the only host is leaving), `:no_host`.
  """
  @spec create_game(String.t() | nil, [map]) :: {:ok, pid} | {:error, term}
  def create_game(join_code, users) do
    with :ok <- NewGame.check_join_code(join_code),
         {:ok, game} <- NewGame.create(users, DateTime.utc_now(), Settings.round_seconds()) do
      place(join_code, game)
    end
  end

  @doc """
  Starts many sessions at once: `create_game/2` for each `{join_code, users}` of `games`, 1 to
  #{@games_max} of them. To a C node that is one message each way, so a session costs it half.

  Answers what `create_game/2` would, in the order of `games`; each start stands for itself. Error:
  `{:invalid_games, path, reason}`, with nothing started, the path as `[3]` for the fourth.
  """
  @spec create_games([{String.t() | nil, [map]}]) ::
          [{:ok, pid} | {:error, term}] | {:error, {:invalid_games, list, term}}
  def create_games(games) do
    with :ok <- check_games(games) do
      for {join_code, users} <- games, do: create_game(join_code, users)
    end
  end

  @doc """
  Starts a session that goes on with `game`, which may be of an earlier version.

  Errors: as `create_game/2`, and `{:invalid_game, path, reason}`, `:invalid_game_version`,
  `{:already_started, pid}`.
  """
  @spec continue_game(String.t() | nil, term) :: {:ok, pid} | {:error, term}
  def continue_game(join_code, game) do
    with :ok <- NewGame.check_join_code(join_code),
         {:ok, game} <- StateImport.import_game(game) do
      case whereis(game.id) do
        nil -> place(join_code, game)
        pid -> {:error, {:already_started, pid}}
      end
    end
  end

  @doc "As `continue_game/2`, without a join code."
  @spec continue_game(term) :: {:ok, pid} | {:error, term}
  def continue_game(game), do: continue_game(nil, game)

  @doc "The game as it is now."
  @spec get_game(id) :: {:ok, struct} | {:error, :game_not_alive}
  def get_game(id), do: {:id, id} |> call(:get_game) |> wrap()

  @doc "The game whose session has this join code."
  @spec get_game_by_join_code(String.t()) :: {:ok, struct} | {:error, :game_not_alive}
  def get_game_by_join_code(code), do: {:join_code, code} |> call(:get_game) |> wrap()

  @doc "Registers a step of the user's character. See `Minotaur.GameEngine.Rules.register_move/3`."
  @spec register_move(id, term, term) :: {:ok, struct} | {:error, term}
  def register_move(id, user_id, vector), do: call({:id, id}, {:register_move, user_id, vector})

  @doc "Registers an attack. See `Minotaur.GameEngine.Rules.register_attack/3`."
  @spec register_attack(id, term, term) :: {:ok, struct} | {:error, term}
  def register_attack(id, user_id, target_player_id) do
    call({:id, id}, {:register_attack, user_id, target_player_id})
  end

  @doc "Ends the round now."
  @spec end_round(id) :: {:ok, struct} | {:error, :game_not_alive | :in_doubt}
  def end_round(id), do: {:id, id} |> call(:end_round) |> wrap()

  @doc "The status of the user's player in `game`, or why there is none."
  @spec get_player_status(term, term) :: atom | {:error, term}
  def get_player_status(game, user_id), do: Rules.player_status(game, user_id)

  @doc "The process of the session, or nil."
  @spec whereis(id) :: pid | nil
  def whereis(id), do: find({:id, id})

  @doc "Starts the sessions that are in the store and live nowhere. There is no store here."
  @spec resume_active_sessions :: :ok
  def resume_active_sessions, do: :ok

  # -- many games

  defp check_games(games) do
    case list_length(games) do
      nil -> invalid_games([], :list)
      length when length in 1..@games_max -> check_pairs(games)
      _length -> invalid_games([], {:length, 1, @games_max})
    end
  end

  defp list_length(games) do
    length(games)
  rescue
    ArgumentError -> nil
  end

  defp check_pairs(games) do
    case Enum.find_index(games, &(not match?({_join_code, _users}, &1))) do
      nil -> :ok
      index -> invalid_games([index], :pair)
    end
  end

  defp invalid_games(path, what), do: {:error, {:invalid_games, path, {:expected, what}}}

  # -- placement

  defp place(join_code, game) do
    hosts = known_hosts()
    candidates = Placement.rank(game.id, hosts, Snapshot.state_version())

    Enum.reduce_while(candidates, no_host(hosts), fn host, refusal ->
      case start_on(host.node, join_code, game) do
        {:error, reason} when reason in [:draining, :full, :unreachable] -> {:cont, refusal}
        answer -> {:halt, answer}
      end
    end)
  end

  defp start_on(node, join_code, game) do
    GenServer.call({SessionHost, node}, {:start_session, join_code, game}, @start_ms)
  catch
    :exit, {:timeout, _call} -> started_late(game.id)
    :exit, _gone -> {:error, :unreachable}
  end

  # The host may have started it all the same.
  defp started_late(id) do
    case whereis(id) do
      nil -> {:error, :timeout}
      pid -> {:ok, pid}
    end
  end

  defp no_host([%{draining: true}]), do: {:error, :draining}
  defp no_host(_hosts), do: {:error, :no_host}

  defp known_hosts do
    GenServer.call(SessionHost, :hosts)
  catch
    :exit, {:noproc, _call} -> []
  end

  # -- calls

  defp call(key, request), do: SessionCall.run(fn -> find_or_wait(key) end, request)

  # Nobody has it; or nobody yet, for a host was lost just now.
  defp find_or_wait(key), do: find(key) || if(lost_lately?(), do: :lost)

  defp lost_lately? do
    GenServer.call(SessionHost, {SessionHost, :lost_lately?})
  catch
    :exit, _reason -> false
  end

  defp wrap({:error, _reason} = error), do: error
  defp wrap(game), do: {:ok, game}

  defp find(key), do: Names.whereis(key) || find_on_hosts(key)

  # What is not in :global yet: a session of a host that this node has just met.
  defp find_on_hosts(key) do
    LocalSessions.whereis(key) || ask_hosts(known_hosts(), key)
  end

  defp ask_hosts(hosts, key) do
    others = for %{node: node} <- hosts, node != node(), do: node
    {answers, _silent} = GenServer.multi_call(others, SessionHost, {:whereis, key}, @lookup_ms)
    Enum.find_value(answers, fn {_node, pid} -> if is_pid(pid), do: pid end)
  end
end
