defmodule Minotaur.GameEngine.RoundEnd do
  @moduledoc """
  The end of a round, step by step. The order matters: attacks come before moves, all moves are seen
  as if made at the same moment, and characters with health 0 still act and see until the dead are
  put aside.
  """

  alias Minotaur.GameEngine.{
    AttackAction,
    Coord,
    EventsLog,
    Game,
    MoveAction,
    PCAttackedPCEvent,
    PCEnteredHexEvent,
    PCLeftHexEvent,
    PlayerCharacter,
    Vector,
    World
  }

  @action_points_max 3

  @doc """
  End the round of `game` at `now`; the next one lasts `round_seconds` (0: no timer).

  A concluded game does not change.
  """
  @spec end_round(Game.t(), DateTime.t(), non_neg_integer) :: Game.t()
  def end_round(%Game{status: :concluded} = game, _now, _round_seconds), do: game

  def end_round(%Game{} = game, now, round_seconds) do
    actions = actions_in_order(game)

    game
    |> start_next_round(now, round_seconds)
    |> carry_out_attacks(for(%AttackAction{} = attack <- actions, do: attack))
    |> carry_out_moves(for(%MoveAction{} = move <- actions, do: move))
    |> give_action_points()
    |> put_the_dead_aside()
    |> forget_actions()
    |> name_winner()
    |> conclude()
  end

  @doc """
  The hex to which `actions` lead the character `pc`: its own moves one after the other, those that
  lead off the floor left out. Moves of others among them lead nobody, since only `pc` is placed.
  """
  @spec lead(World.t(), [Game.action()], PlayerCharacter.t()) :: Coord.hex()
  def lead(world, actions, pc) do
    moves = for %MoveAction{} = move <- actions, do: move
    {_steps, after_moves} = walk(world, moves, %{pc.player_id => Coord.hex(pc.position)})
    after_moves[pc.player_id]
  end

  # Players by id, each player's actions in the order of registration.
  defp actions_in_order(%Game{registered_actions: registered}),
    do: registered |> Enum.sort() |> Enum.flat_map(fn {_player_id, actions} -> actions end)

  defp start_next_round(game, now, round_seconds) do
    end_time = Game.round_end_time(now, round_seconds)
    %{game | round: game.round + 1, round_end_time: end_time}
  end

  defp carry_out_attacks(game, attacks), do: Enum.reduce(attacks, game, &carry_out_attack/2)

  defp carry_out_attack(%AttackAction{player_id: player_id, target_id: target_id}, game) do
    case game.world.player_characters do
      %{^player_id => attacker, ^target_id => target} ->
        event = %PCAttackedPCEvent{player_id: player_id, target_id: target_id}

        game
        |> put_character(%{target | health: max(target.health - 1, 0)})
        |> log(
          event,
          World.player_ids_in(World.positions(game.world), Coord.hex(attacker.position))
        )

      _ ->
        game
    end
  end

  defp carry_out_moves(game, moves) do
    positions = World.positions(game.world)
    {steps, positions_after} = walk(game.world, moves, positions)

    game
    |> put_positions(steps, positions_after)
    |> log_left(steps, positions, positions_after)
    |> log_entered(steps, positions_after)
  end

  # Follow the moves: the steps {player_id, from, to} that are made, and where everyone then is.
  defp walk(world, moves, positions) do
    Enum.flat_map_reduce(moves, positions, fn %MoveAction{player_id: player_id} = move,
                                              positions ->
      with {:ok, from} <- Map.fetch(positions, player_id),
           to = Vector.lead(move.vector, from),
           true <- World.floor?(world, to) do
        {[{player_id, from, to}], %{positions | player_id => to}}
      else
        _dropped -> {[], positions}
      end
    end)
  end

  defp put_positions(game, steps, positions_after) do
    moved = steps |> Enum.map(fn {player_id, _from, _to} -> player_id end) |> Enum.uniq()

    Enum.reduce(moved, game, fn player_id, game ->
      pc = game.world.player_characters[player_id]

      put_character(game, %{pc | position: Coord.put_hex(pc.position, positions_after[player_id])})
    end)
  end

  defp log_left(game, steps, before, positions_after) do
    Enum.reduce(steps, game, fn {player_id, from, to}, game ->
      case World.player_ids_in(before, from) -- World.player_ids_in(positions_after, to) do
        [] -> game
        viewers -> log(game, hex_event(%PCLeftHexEvent{}, player_id, from, to), viewers)
      end
    end)
  end

  defp log_entered(game, steps, positions_after) do
    Enum.reduce(steps, game, fn {player_id, from, to}, game ->
      viewers = World.player_ids_in(positions_after, to)
      log(game, hex_event(%PCEnteredHexEvent{}, player_id, from, to), viewers)
    end)
  end

  defp hex_event(event, player_id, from, to),
    do: %{event | player_id: player_id, from: Coord.from_hex(from), to: Coord.from_hex(to)}

  defp give_action_points(game) do
    put_characters(game, fn pc ->
      %{pc | action_points: min(pc.action_points + 1, @action_points_max)}
    end)
  end

  defp put_the_dead_aside(%Game{world: world} = game) do
    dead = Map.filter(world.player_characters, fn {_player_id, pc} -> pc.health == 0 end)
    living = Map.drop(world.player_characters, Map.keys(dead))
    dead_characters = Map.merge(world.dead_characters, dead)
    world = %{world | player_characters: living, dead_characters: dead_characters}

    Enum.reduce(Map.keys(dead), %{game | world: world}, &put_player_status(&2, &1, :eliminated))
  end

  defp forget_actions(game), do: %{game | registered_actions: %{}}

  defp name_winner(%Game{world: world} = game) do
    case Map.keys(world.player_characters) do
      [player_id] -> put_player_status(game, player_id, :won)
      _none_or_several -> game
    end
  end

  defp conclude(%Game{world: world} = game) do
    if map_size(world.player_characters) < 2,
      do: %{game | status: :concluded, round_end_time: nil},
      else: game
  end

  # Events carry the round that has just ended.
  defp log(game, event, viewers) do
    event = %{event | round: game.round - 1}
    %{game | events_log: EventsLog.append(game.events_log, event, viewers)}
  end

  defp put_character(%Game{world: world} = game, pc) do
    characters = %{world.player_characters | pc.player_id => pc}
    %{game | world: %{world | player_characters: characters}}
  end

  defp put_characters(%Game{world: world} = game, fun) do
    characters = Map.new(world.player_characters, fn {player_id, pc} -> {player_id, fun.(pc)} end)
    %{game | world: %{world | player_characters: characters}}
  end

  # An imported game may have a character without a player.
  defp put_player_status(%Game{players: players} = game, player_id, status) do
    case players do
      %{^player_id => player} ->
        %{game | players: %{players | player_id => %{player | status: status}}}

      _ ->
        game
    end
  end
end
