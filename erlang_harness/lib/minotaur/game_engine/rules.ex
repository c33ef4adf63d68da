defmodule Minotaur.GameEngine.Rules do
  @moduledoc """
  What the players may do, and what a session answers. Pure: a game and the time come in, an answer
  and a game go out.

  The rules are written down in cnode/minotaur/RULES.md, which the C implementation follows as
  well. Every game here has come through `Minotaur.GameEngine.StateImport` or
  `Minotaur.GameEngine.NewGame`. The end of a round is in `Minotaur.GameEngine.RoundEnd`.
  """

  alias Minotaur.GameEngine.{
    AttackAction,
    Coord,
    Game,
    MoveAction,
    Player,
    RoundEnd,
    StateImport,
    Vector,
    World
  }

  @type reason ::
          :game_concluded
          | :player_not_found
          | :player_eliminated
          | :illegal_move
          | :not_enough_action_points
          | :target_not_found
          | :target_out_of_reach

  @doc """
  Answer a call to a session: `{answer, game}`, the game being the old one when nothing changed.

  * `:get_game` and `:end_round` answer the game
  * `{:register_move, user_id, vector}` and `{:register_attack, user_id, target_player_id}` answer
    `{:ok, game}` or `{:error, reason}`
  * anything else is `{:error, :unknown_request}`

  `now` and `round_seconds` (0: no timer) give the end of a round that starts with this call.
  """
  @spec handle_call(term, Game.t(), DateTime.t(), non_neg_integer) :: {term, Game.t()}
  def handle_call(:get_game, game, _now, _round_seconds), do: {game, game}

  def handle_call(:end_round, game, now, round_seconds) do
    game = end_round(game, now, round_seconds)
    {game, game}
  end

  def handle_call({:register_move, user_id, vector}, game, _now, _round_seconds),
    do: answer(register_move(game, user_id, vector), game)

  def handle_call({:register_attack, user_id, target_id}, game, _now, _round_seconds),
    do: answer(register_attack(game, user_id, target_id), game)

  def handle_call(_request, game, _now, _round_seconds), do: {{:error, :unknown_request}, game}

  @doc """
  Take a message that is no call.

  `{:ok, game}`: taken, or ignored because it is stale (a timer of an earlier round, or of a game
  that has concluded); `:end_session`: the session is to end with reason `:normal`; `:unknown`: to
  be logged and dropped.
  """
  @spec handle_info(term, Game.t(), DateTime.t(), non_neg_integer) ::
          {:ok, Game.t()} | :end_session | :unknown
  def handle_info({:round_timer_expired, round}, %Game{status: :active} = game, now, seconds)
      when round === game.round,
      do: {:ok, end_round(game, now, seconds)}

  def handle_info({:round_timer_expired, _stale}, game, _now, _seconds), do: {:ok, game}
  def handle_info(:end_session, _game, _now, _seconds), do: :end_session
  def handle_info(_message, _game, _now, _seconds), do: :unknown

  @doc """
  Register a step of the user's character in one of the six directions. It costs one action point
  at once and is made at the end of the round.

  Errors, the first that holds: `:game_concluded`, `:player_not_found`, `:player_eliminated`,
  `:illegal_move` (`vector` is no direction), `:not_enough_action_points`, `:illegal_move` (it leads
  off the floor from where the player's registered moves lead).
  """
  @spec register_move(Game.t(), term, term) :: {:ok, Game.t()} | {:error, reason}
  def register_move(%Game{} = game, user_id, vector) do
    with {:ok, pc} <- find_actor(game, user_id),
         {:ok, vector} <- check_direction(vector),
         :ok <- check_action_points(pc),
         :ok <- check_destination(game, pc, vector) do
      {:ok, register(game, pc, %MoveAction{player_id: pc.player_id, vector: vector})}
    end
  end

  @doc """
  Register an attack of the user's character on the character of the player `target_id`. It costs
  one action point at once and takes 1 health at the end of the round.

  Errors, the first that holds: `:game_concluded`, `:player_not_found`, `:player_eliminated`,
  `:not_enough_action_points`, `:target_not_found` (the player itself, or one without a living
  character), `:target_out_of_reach` (not in the same hex now).
  """
  @spec register_attack(Game.t(), term, term) :: {:ok, Game.t()} | {:error, reason}
  def register_attack(%Game{} = game, user_id, target_id) do
    with {:ok, pc} <- find_actor(game, user_id),
         :ok <- check_action_points(pc),
         {:ok, target} <- find_target(game, pc, target_id),
         :ok <- check_reach(pc, target) do
      {:ok, register(game, pc, %AttackAction{player_id: pc.player_id, target_id: target_id})}
    end
  end

  @doc """
  End the round: actions are carried out, the dead are put aside, the next round begins or the game
  is concluded. A concluded game does not change. See `Minotaur.GameEngine.RoundEnd`.
  """
  @spec end_round(Game.t(), DateTime.t(), non_neg_integer) :: Game.t()
  defdelegate end_round(game, now, round_seconds), to: RoundEnd

  @doc """
  The status of the user's player in `game`, which may be of any version and is imported first.

  Errors: `:player_not_found`; those of `StateImport.import_game/1`.
  """
  @spec player_status(term, term) ::
          Player.status() | {:error, :player_not_found} | StateImport.error()
  def player_status(game, user_id) do
    with {:ok, game} <- StateImport.import_game(game),
         {:ok, player} <- find_player(game, user_id) do
      player.status
    end
  end

  defp answer({:ok, game}, _old), do: {{:ok, game}, game}
  defp answer({:error, _reason} = error, game), do: {error, game}

  defp find_actor(%Game{status: :concluded}, _user_id), do: {:error, :game_concluded}

  defp find_actor(game, user_id) do
    with {:ok, %{id: player_id, status: status}} <- find_player(game, user_id) do
      case game.world.player_characters do
        %{^player_id => pc} when status != :eliminated -> {:ok, pc}
        _ -> {:error, :player_eliminated}
      end
    end
  end

  defp find_player(game, user_id) do
    ids = for {player_id, player} <- game.players, player.user_id === user_id, do: player_id

    case ids do
      [] -> {:error, :player_not_found}
      ids -> {:ok, game.players[Enum.min(ids)]}
    end
  end

  defp check_direction(vector) do
    with :error <- Vector.direction(vector), do: {:error, :illegal_move}
  end

  defp check_action_points(%{action_points: points}) when points > 0, do: :ok
  defp check_action_points(_pc), do: {:error, :not_enough_action_points}

  defp check_destination(game, pc, vector) do
    actions = Map.get(game.registered_actions, pc.player_id, [])
    hex = RoundEnd.lead(game.world, actions, pc)

    if World.floor?(game.world, Vector.lead(vector, hex)), do: :ok, else: {:error, :illegal_move}
  end

  defp find_target(game, pc, target_id) do
    case game.world.player_characters do
      %{^target_id => target} when target_id !== pc.player_id -> {:ok, target}
      _ -> {:error, :target_not_found}
    end
  end

  defp check_reach(pc, target) do
    if Coord.hex(pc.position) == Coord.hex(target.position),
      do: :ok,
      else: {:error, :target_out_of_reach}
  end

  defp register(game, pc, action) do
    actions = Map.update(game.registered_actions, pc.player_id, [action], &(&1 ++ [action]))
    pc = %{pc | action_points: pc.action_points - 1}
    characters = %{game.world.player_characters | pc.player_id => pc}
    world = %{game.world | player_characters: characters}
    %{game | registered_actions: actions, world: world}
  end
end
