defmodule Minotaur.Conformance.RandomRequests do
  @moduledoc """
  What the players of a game, and strangers, may ask during one round: mostly things that are
  possible, among them everything that is refused.
  """

  import Minotaur.Conformance.Gen

  alias Minotaur.Conformance.{RandomGame, RandomTerms}
  alias Minotaur.GameEngine.{Coord, Game, Vector}

  @typedoc "One thing done to a session."
  @type step :: {:call, term} | {:info, term} | {:cast, term}

  @doc "A generator of the steps of one round of `game`, its end included."
  def round(%Game{} = game) do
    map(all([list(step(game), 2..9), round_end(game)]), fn [steps, ending] -> steps ++ ending end)
  end

  defp step(game) do
    frequency([
      {60, map(all([user_id(game), vector()]), &call(:register_move, &1))},
      {30, bind(attacker(game), &attack(game, &1))},
      {4, constant({:call, :get_game})},
      {3, map(unknown_request(), &{:call, &1})},
      {1, map(unknown_message(game), &{:info, &1})},
      {1, map(RandomTerms.term(), &{:cast, &1})}
    ])
  end

  defp round_end(game) do
    frequency([
      {8, constant([{:call, :end_round}])},
      {2, constant([{:info, {:round_timer_expired, game.round}}, {:call, :get_game}])}
    ])
  end

  defp call(name, arguments), do: {:call, List.to_tuple([name | arguments])}

  # Mostly players who can act.
  defp user_id(game), do: map(attacker(game), fn {_player_id, user_id} -> user_id end)

  defp attacker(game) do
    all = for {player_id, player} <- game.players, do: {player_id, player.user_id}

    able =
      for {player_id, _user_id} = it <- all,
          match?(%{^player_id => %{action_points: n}} when n > 0, game.world.player_characters),
          do: it

    frequency(
      [{2, map(stranger(all), &{0, &1})}] ++
        if(all == [], do: [], else: [{6, member(all)}]) ++
        if(able == [], do: [], else: [{12, member(able)}])
    )
  end

  # Ids that look like those of players.
  defp stranger(all) do
    like = for {player_id, _} <- all, id <- [player_id, player_id * 1.0, "#{player_id}"], do: id
    frequency([{1, member(["nobody" | like])}, {1, RandomTerms.term()}])
  end

  defp attack(game, {player_id, user_id}) do
    near = near(game, player_id)
    any = Map.keys(game.players) ++ Map.keys(game.world.player_characters) ++ [player_id]

    targets =
      [{3, member(any)}, {1, member([0, 999, 1.0, "1", nil, Bitwise.bsl(1, 70)])}] ++
        if(near == [], do: [], else: [{8, member(near)}])

    map(frequency(targets), &call(:register_attack, [user_id, &1]))
  end

  defp near(game, player_id) do
    characters = game.world.player_characters

    case characters do
      %{^player_id => pc} ->
        for {id, it} <- characters,
            id != player_id and Coord.hex(it.position) == Coord.hex(pc.position),
            do: id

      _ ->
        []
    end
  end

  defp vector do
    frequency([
      {16, RandomGame.vector()},
      {1, map(member(Vector.directions()), &Map.put(&1, :speed, 2))},
      {1, map(member(Vector.directions()), &Map.from_struct/1)},
      {1, member([%Vector{q: 1.0, r: 0}, %Vector{q: nil, r: 1}, %Coord{q: 1, r: 0}])},
      {1, member([%{__struct__: Vector, q: 1}, {1, 0}, nil, [0, 1]])}
    ])
  end

  defp unknown_request do
    frequency([
      {1, RandomTerms.term()},
      {1,
       member([
         :get,
         :end_session,
         {:end_round},
         {:register_move, "user-1"},
         {:register_attack, "user-1", 2, 3},
         {:round_timer_expired, 1},
         %{},
         []
       ])}
    ])
  end

  # Stale timers, and what merely looks like a message of the game.
  defp unknown_message(game) do
    frequency([
      {2, constant({:round_timer_expired, game.round - 1})},
      {1, constant({:round_timer_expired, game.round * 1.0})},
      {1, constant({:round_timer_expired, "soon"})},
      {1, constant({:hello, self_like()})},
      {1, map(integer(0..9), &{:noise, &1})}
    ])
  end

  defp self_like, do: {:process, 1}
end
