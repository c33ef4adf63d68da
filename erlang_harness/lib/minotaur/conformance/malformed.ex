defmodule Minotaur.Conformance.Malformed do
  @moduledoc """
  Terms that are no game, or no users, and the exact error that each of them is.

  The lists are made from a table of every field with its kind and, for every kind, values that it
  is not. The table is written down here a second time on purpose: it checks the one of
  `Minotaur.GameEngine.Shapes` as much as the C implementation.
  """

  alias Minotaur.Conformance.MalformedValues

  alias Minotaur.GameEngine.{
    AttackAction,
    Coord,
    EventsLog,
    Game,
    GridHex,
    MoveAction,
    PCAttackedPCEvent,
    PCEnteredHexEvent,
    PCLeftHexEvent,
    Player,
    PlayerCharacter,
    Vector,
    World
  }

  @origin %Coord{q: 0, r: 0}

  @type bad :: {description :: String.t(), term, {:error, term}}

  @doc "Malformed games."
  @spec games() :: [bad]
  def games do
    List.flatten([
      not_games(),
      versions(),
      Enum.map(fields(), &wrong_values/1),
      Enum.map(fields(), &missing/1),
      Enum.map(keys(), &wrong_keys/1),
      Enum.map(equals(), &unequal/1),
      orders(),
      older_games()
    ])
  end

  @doc "Malformed users."
  @spec users() :: [bad]
  def users do
    good = %{id: 1, display_name: "Ariadne"}

    lists =
      for term <- [nil, %{}, :users, "users", 1, {good}, [good | good]],
          do: {term, [], {:expected, :list}}

    lengths =
      for users <- [[], List.duplicate(good, 19), List.duplicate(:bad, 19)],
          do: {users, [], {:expected, {:length, 1, 18}}}

    users =
      for {bad, path, reason} <- bad_users(good),
          {users, index} <- [{[bad], 0}, {[good, bad, good], 1}, {[good, bad, bad], 1}],
          do: {users, [index | path], reason}

    for {users, path, reason} <- lists ++ lengths ++ users do
      {"users: #{inspect(users, limit: 5)}", users, {:error, {:invalid_users, path, reason}}}
    end
  end

  @doc "Lists of users that every implementation accepts: of each length, and of odd users."
  @spec good_users() :: [[map]]
  def good_users do
    plain = for count <- 1..18, do: for(n <- 1..count, do: %{id: n, display_name: "Player #{n}"})

    odd = [
      %{id: nil, display_name: ""},
      %Player{id: {:user, [1.0, %{a: "b"}]}, display_name: <<255, 0>>, user_id: "not read"},
      %{"id" => 7, id: 1, display_name: "Μίνως", email: "minos@example.org"},
      %{id: 1, display_name: "the same user again"},
      %{id: 0x8000000000000000, display_name: String.duplicate("x", 300)}
    ]

    plain ++ [odd]
  end

  @doc "A game in which every kind of struct occurs once; every malformed one differs in one place."
  @spec base() :: Game.t()
  def base do
    %Game{
      id: "8a3b1c5d-0e2f-4a6b-9c8d-7e6f5a4b3c2d",
      status: :active,
      round: 4,
      round_end_time: ~U[2100-01-01 00:00:00Z],
      players: %{1 => %Player{id: 1, user_id: "u", display_name: "Ariadne", status: :active}},
      registered_actions: %{
        1 => [
          %MoveAction{player_id: 1, vector: %Vector{q: 1, r: 0}},
          %AttackAction{player_id: 1, target_id: 2}
        ]
      },
      version: 4,
      events_log: %EventsLog{events: events(), events_visible_by_player: %{1 => [2, 0]}},
      world: %World{
        grid: %{@origin => %GridHex{coord: @origin, terrain: :floor}},
        player_characters: %{1 => character(1, 3)},
        dead_characters: %{2 => character(2, 0)}
      }
    }
  end

  # --- The table: every field of every struct, in the order of the checks ---

  defp fields do
    [
      {[:id], :uuid},
      {[:status], {:one_of, [:active, :concluded]}},
      {[:round], :positive_integer},
      {[:round_end_time], :datetime_or_nil},
      {[:players], :map},
      {[:players, 1], {:struct, Player}},
      {[:players, 1, :id], :integer},
      {[:players, 1, :user_id], :any},
      {[:players, 1, :display_name], :binary},
      {[:players, 1, :status], {:one_of, [:active, :eliminated, :won]}},
      {[:registered_actions], :map},
      {[:registered_actions, 1], :list},
      {[:registered_actions, 1, 0], {:struct, :action}},
      {[:registered_actions, 1, 0, :player_id], :integer},
      {[:registered_actions, 1, 0, :vector], {:struct, Vector}},
      {[:registered_actions, 1, 0, :vector, :q], :integer},
      {[:registered_actions, 1, 0, :vector, :r], :integer},
      {[:registered_actions, 1, 1], {:struct, :action}},
      {[:registered_actions, 1, 1, :player_id], :integer},
      {[:registered_actions, 1, 1, :target_id], :integer},
      {[:events_log], {:struct, EventsLog}},
      {[:events_log, :events], :map}
    ] ++
      event_fields() ++
      [
        {[:events_log, :events_visible_by_player], :map},
        {[:events_log, :events_visible_by_player, 1], :list},
        {[:events_log, :events_visible_by_player, 1, 1], :non_neg_integer},
        {[:world], {:struct, World}},
        {[:world, :grid], :map},
        {[:world, :grid, @origin], {:struct, GridHex}},
        {[:world, :grid, @origin, :coord], {:struct, Coord}},
        {[:world, :grid, @origin, :coord, :q], :integer},
        {[:world, :grid, @origin, :coord, :r], :integer},
        {[:world, :grid, @origin, :terrain], {:one_of, [:floor, :wall]}}
      ] ++
      characters_fields(:player_characters, 1) ++ characters_fields(:dead_characters, 2)
  end

  defp event_fields do
    [{[:events_log, :events, 0], {:struct, :event}}] ++
      in_event(0, id: :non_neg_integer, player_id: :integer, target_id: :integer) ++
      in_event(0, round: :non_neg_integer) ++
      Enum.flat_map([1, 2], fn id ->
        [{[:events_log, :events, id], {:struct, :event}}] ++
          in_event(id, id: :non_neg_integer, player_id: :integer) ++
          in_event(id, to: {:struct, Coord}) ++
          [{[:events_log, :events, id, :to, :q], :integer}] ++
          [{[:events_log, :events, id, :to, :r], :integer}] ++
          in_event(id, from: {:struct, Coord}) ++
          [{[:events_log, :events, id, :from, :q], :integer}] ++
          [{[:events_log, :events, id, :from, :r], :integer}] ++
          in_event(id, round: :non_neg_integer)
      end)
  end

  defp in_event(id, fields),
    do: for({name, kind} <- fields, do: {[:events_log, :events, id, name], kind})

  defp characters_fields(map, id) do
    [
      {[:world, map], :map},
      {[:world, map, id], {:struct, PlayerCharacter}},
      {[:world, map, id, :player_id], :integer},
      {[:world, map, id, :position], {:struct, Coord}},
      {[:world, map, id, :position, :q], :integer},
      {[:world, map, id, :position, :r], :integer},
      {[:world, map, id, :health], :non_neg_integer},
      {[:world, map, id, :action_points], :non_neg_integer}
    ]
  end

  # Every map with the kind of its keys.
  defp keys do
    [
      {[:players], :integer},
      {[:registered_actions], :integer},
      {[:events_log, :events], :non_neg_integer},
      {[:events_log, :events_visible_by_player], :integer},
      {[:world, :grid], {:struct, Coord}},
      {[:world, :player_characters], :integer},
      {[:world, :dead_characters], :integer}
    ]
  end

  # Every map whose keys are a field of the values: another value for that field.
  defp equals do
    [
      {[:players, 1], :id, 2},
      {[:events_log, :events, 0], :id, 7},
      {[:events_log, :events, 1], :id, 0},
      {[:events_log, :events, 2], :id, 1},
      {[:world, :grid, @origin], :coord, %Coord{q: 0, r: 1}},
      {[:world, :player_characters, 1], :player_id, 2},
      {[:world, :dead_characters, 2], :player_id, -2}
    ]
  end

  # --- The cases ---

  defp not_games do
    terms = [nil, [], {}, 1, "game", :game, %{}, Map.from_struct(base()), base().world, [base()]]

    for term <- terms do
      {"no game: #{inspect(term, limit: 3)}", term, error([], {:expected, {:struct, Game}})}
    end ++
      [{"a game without fields", %{__struct__: Game}, {:error, :invalid_game_version}}]
  end

  # The version comes before all fields.
  defp versions do
    bad = [nil, 0, 5, -1, 4.0, "4", :four, 0x8000000000000004, Bitwise.bsl(1, 64) + 4]
    wrong_id = %{base() | id: :wrong}

    for(version <- bad, do: %{wrong_id | version: version})
    |> Enum.concat([Map.delete(base(), :version)])
    |> Enum.map(fn game ->
      {"version #{inspect(Map.get(game, :version, :none))}", game,
       {:error, :invalid_game_version}}
    end)
  end

  defp wrong_values({path, kind}) do
    for value <- MalformedValues.of(kind) do
      bad("#{inspect(path)} is #{inspect(value, limit: 5)}", put(base(), path, value), path, kind)
    end
  end

  # Only fields of structs can be missing.
  defp missing({path, _kind}) do
    {parents, [name]} = Enum.split(path, -1)

    case get(base(), parents) do
      %{__struct__: _} = parent when is_atom(name) ->
        game = put(base(), parents, Map.delete(parent, name))
        [{"#{inspect(path)} is missing", game, error(path, :missing)}]

      _map_or_list ->
        []
    end
  end

  defp wrong_keys({path, kind}) do
    [value | _] = Map.values(get(base(), path))

    for key <- MalformedValues.keys(kind), value <- [value, nil] do
      bad(
        "#{inspect(path)} has the key #{inspect(key)}",
        put(base(), path, %{key => value}),
        path ++ [key],
        kind
      )
    end
  end

  defp unequal({path, field, other}) do
    key = List.last(path)
    game = put(base(), path ++ [field], other)
    [bad("#{inspect(path)} has another #{field}", game, path ++ [field], {:equal, key})]
  end

  # Of two wrong fields the earlier one is named. The values of the table cannot be combined with
  # what is inside them, nor can the entries of one map be ordered.
  defp orders do
    wrong =
      for {path, kind} <- fields(), kind != :any, do: {path, kind, hd(MalformedValues.of(kind))}

    for {{path, kind, value}, index} <- Enum.with_index(wrong),
        {later, _kind, later_value} <- Enum.drop(wrong, index + 1),
        ordered?(path, later) do
      game = base() |> put(later, later_value) |> put(path, value)
      bad("#{inspect(path)} and #{inspect(later)} are wrong", game, path, kind)
    end
  end

  defp ordered?(path, later),
    do: not List.starts_with?(later, path) and not siblings?(path, later)

  defp siblings?([:events_log, :events, a | _], [:events_log, :events, b | _]), do: a != b
  defp siblings?(_path, _later), do: false

  defp older_games do
    log = [:events_log]
    visible = [:events_log, :events_visible_by_player]
    events = [:events_log, :events]

    for {version, path, value, at, what} <- [
          {1, log, nil, log, {:struct, EventsLog}},
          {1, visible, nil, visible, :map},
          {2, log, %{}, log, {:struct, EventsLog}},
          {2, visible, [], visible, :map},
          {2, visible ++ [1], 1, visible ++ [1], :list},
          {2, [:players], nil, [:players], :map},
          {3, log, :none, log, {:struct, EventsLog}},
          {3, events, [], events, :map},
          {3, events ++ [0], nil, events ++ [0], {:struct, :event}},
          {3, events ++ [0], %{round: 1}, events ++ [0], {:struct, :event}},
          {3, events ++ [0, :round], 0, events ++ [0, :round], :non_neg_integer},
          {3, events ++ [0, :round], nil, events ++ [0, :round], :non_neg_integer},
          {3, events ++ [1, :round], 1.0, events ++ [1, :round], :non_neg_integer},
          {2, events ++ [1, :round], 0x8000000000000000, events ++ [1, :round], :non_neg_integer},
          {3, [:round], "4", [:round], :positive_integer},
          {1, [:status], nil, [:status], {:one_of, [:active, :concluded]}}
        ] do
      game = put(%{base() | version: version}, path, value)
      bad("version #{version}: #{inspect(path)} is #{inspect(value)}", game, at, what)
    end ++
      for {version, path} <- [{2, log}, {3, log}, {2, visible}, {3, events}] do
        {parents, [name]} = Enum.split(path, -1)
        game = put(base(), parents, Map.delete(get(base(), parents), name))
        text = "version #{version}: #{inspect(path)} is missing"
        {text, %{game | version: version}, error(path, :missing)}
      end
  end

  defp bad_users(good) do
    for(user <- [nil, [], "Ariadne", {1, "Ariadne"}], do: {user, [], {:expected, :map}}) ++
      for(
        name <- [nil, :ariadne, ~c"Ariadne", 1, <<1::3>>],
        do: {%{good | display_name: name}, [:display_name], {:expected, :binary}}
      ) ++
      [
        {%{}, [:id], :missing},
        {%{display_name: nil}, [:id], :missing},
        {%{"id" => 1, "display_name" => "Ariadne"}, [:id], :missing},
        {%{id: 1}, [:display_name], :missing}
      ]
  end

  # --- Helpers ---

  defp bad(description, game, path, what), do: {description, game, error(path, {:expected, what})}
  defp error(path, reason), do: {:error, {:invalid_game, path, reason}}

  defp get(term, path), do: Enum.reduce(path, term, &child(&2, &1))

  defp child(list, index) when is_list(list), do: Enum.at(list, index)
  defp child(map, key), do: Map.fetch!(map, key)

  defp put(_term, [], value), do: value

  defp put(list, [index | path], value) when is_list(list),
    do: List.update_at(list, index, &put(&1, path, value))

  defp put(map, [key | path], value),
    do: Map.put(map, key, put(Map.fetch!(map, key), path, value))

  defp events do
    here = @origin
    there = %Coord{q: 0, r: -1}

    %{
      0 => %PCAttackedPCEvent{id: 0, player_id: 1, target_id: 2, round: 2},
      1 => %PCLeftHexEvent{id: 1, player_id: 1, to: here, from: there, round: 3},
      2 => %PCEnteredHexEvent{id: 2, player_id: 1, to: here, from: there, round: 3}
    }
  end

  defp character(id, health),
    do: %PlayerCharacter{player_id: id, position: @origin, health: health, action_points: 1}
end
