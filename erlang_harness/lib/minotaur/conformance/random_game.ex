defmodule Minotaur.Conformance.RandomGame do
  @moduledoc """
  Games that an import accepts but that no play may ever have reached: characters in walls or off
  the grid, dead players with actions, characters without players, events with gaps, actions under
  somebody else's key, coordinates at the limits of 64 bits, older versions, unknown fields in every
  struct. Most games are ordinary, so that something happens in them.
  """

  import Minotaur.Conformance.Gen

  alias Minotaur.Conformance.RandomTerms

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

  @int64_max 0x7FFFFFFFFFFFFFFF

  @doc "A generator of games, some of them of older versions."
  def game do
    bind(player_ids(), fn ids ->
      bind(integer(1..40), fn round -> map(current_game(ids, round), &with_id/1) end)
    end)
    |> bind(&maybe_older/1)
  end

  @doc "A vector: mostly a direction."
  def vector do
    frequency([
      {17, member(Vector.directions())},
      {3,
       map(
         member([{0, 0}, {2, 0}, {-1, -1}, {@int64_max, 0}, {0, -@int64_max - 1}]),
         fn {q, r} -> %Vector{q: q, r: r} end
       )}
    ])
  end

  defp current_game(ids, round) do
    struct_of(%Game{},
      id: map(list(member(~c"0123456789abcdef"), 32..32), &List.to_string/1),
      status: frequency([{19, constant(:active)}, {1, constant(:concluded)}]),
      round: constant(round),
      # In the future, and never soon: a timer must not end a round while the suite plays.
      round_end_time: frequency([{1, constant(nil)}, {1, datetime()}]),
      players: by_id(ids, &player/1, & &1.id),
      registered_actions: registered_actions(ids),
      events_log: events_log(ids, round),
      world: world(ids)
    )
    |> extended()
  end

  defp with_id(%Game{id: hex} = game) do
    <<a::binary-8, b::binary-4, c::binary-4, d::binary-4, e::binary-12>> = hex
    %{game | id: Enum.join([a, b, c, d, e], "-")}
  end

  defp player_ids do
    frequency([
      {8, map(integer(1..6), &Enum.to_list(1..&1))},
      {1, constant([-5, 0, 7, 300, @int64_max])},
      {1, constant([2, 3, 9])}
    ])
  end

  defp datetime do
    map(all([integer(4_102_444_800..253_402_300_799), member([{0, 0}, {0, 3}, {999_999, 6}])]), fn
      [seconds, microsecond] -> %{DateTime.from_unix!(seconds) | microsecond: microsecond}
    end)
  end

  defp player(id) do
    struct_of(%Player{},
      id: constant(id),
      user_id:
        frequency([
          {8, constant("user-#{id}")},
          {2, RandomTerms.term()},
          {1, constant(id)},
          {1, constant(id * 1.0)},
          {1, constant("user-#{id + 1}")}
        ]),
      display_name: member(["", "Player #{id}", "Αριάδνη", <<255, 0>>]),
      status:
        frequency([{18, constant(:active)}, {1, constant(:eliminated)}, {1, constant(:won)}])
    )
    |> extended()
  end

  defp registered_actions(ids) do
    bind(some_of(ids ++ [999], 25), fn actors ->
      map(each(actors, &list(action(&1, ids), 0..4)), &Map.new(Enum.zip(actors, &1)))
    end)
  end

  defp action(actor, ids) do
    player_id = frequency([{19, constant(actor)}, {1, member(ids)}])

    frequency([
      {1, struct_of(%MoveAction{}, player_id: player_id, vector: extended(vector()))},
      {1, struct_of(%AttackAction{}, player_id: player_id, target_id: member([999 | ids]))}
    ])
    |> extended()
  end

  defp events_log(ids, round) do
    bind(integer(0..20), fn count ->
      event_ids = Enum.take(Enum.to_list(0..20), count)

      struct_of(%EventsLog{},
        events:
          bind(kept(event_ids), fn kept -> by_id(kept, &event(&1, ids, round), & &1.id) end),
        events_visible_by_player: visible(ids, event_ids)
      )
    end)
    |> extended()
  end

  defp kept(event_ids), do: frequency([{9, constant(event_ids)}, {1, some_of(event_ids, 80)}])

  defp visible(ids, event_ids) do
    bind(frequency([{9, constant(ids)}, {1, some_of([999 | ids], 60)}]), fn viewers ->
      map(each(viewers, fn _viewer -> some_of(Enum.reverse(event_ids), 40) end), fn lists ->
        Map.new(Enum.zip(viewers, lists))
      end)
    end)
  end

  defp event(id, ids, round) do
    common = [id: constant(id), player_id: member(ids), round: integer(0..(round - 1))]
    hexes = [to: extended(small_coord()), from: small_coord()]

    frequency([
      {1, struct_of(%PCAttackedPCEvent{}, common ++ [target_id: member(ids)])},
      {1, struct_of(%PCEnteredHexEvent{}, common ++ hexes)},
      {1, struct_of(%PCLeftHexEvent{}, common ++ hexes)}
    ])
    |> extended()
  end

  defp world(ids) do
    bind(grid(), fn grid ->
      bind(standing_places(Map.values(grid)), fn places ->
        bind(lives(ids), fn {living, dead} ->
          struct_of(%World{},
            grid: constant(grid),
            player_characters: by_id(living, &character(&1, places), & &1.player_id),
            dead_characters: by_id(dead, &character(&1, places), & &1.player_id)
          )
        end)
      end)
    end)
    |> extended()
  end

  # Now and then the grid lies where the next hex is beyond 64 bits.
  defp grid do
    bind(frequency([{19, constant(0)}, {1, constant(@int64_max)}]), fn offset ->
      hexes = for q <- -3..3, r <- -3..3, abs(q + r) <= 3, q + offset <= @int64_max, do: {q, r}

      bind(some_of(hexes, 93), fn hexes ->
        map(each(hexes, fn {q, r} -> grid_hex(%Coord{q: q + offset, r: r}) end), fn hexes ->
          Map.new(hexes, &{&1.coord, &1})
        end)
      end)
    end)
    |> bind(&with_doubles/1)
  end

  # In a few grids some hexes occur once more, under keys that carry something else.
  defp with_doubles(grid) do
    bind(frequency([{19, constant(0)}, {1, constant(25)}]), fn percent ->
      map(
        bind(some_of(Map.values(grid), percent), &each(&1, fn hex -> double(hex) end)),
        fn more ->
          Map.merge(grid, Map.new(more, &{&1.coord, &1}))
        end
      )
    end)
  end

  defp double(hex) do
    map(all([member([:floor, :wall]), integer(1..2)]), fn [terrain, level] ->
      %{hex | terrain: terrain, coord: Map.put(hex.coord, :level, level)}
    end)
  end

  defp grid_hex(coord) do
    bind(extended(constant(coord), 1), fn coord ->
      terrain = frequency([{7, constant(:floor)}, {1, constant(:wall)}])
      extended(struct_of(%GridHex{}, coord: constant(coord), terrain: terrain), 2)
    end)
  end

  # Few places, so that the characters meet.
  defp standing_places([]), do: constant([%Coord{q: 0, r: 0}])

  defp standing_places(hexes) do
    map(list(member(hexes), 1..3), fn hexes ->
      Enum.map(hexes, &%Coord{q: &1.coord.q, r: &1.coord.r})
    end)
  end

  defp lives(ids) do
    fates = frequency([{17, constant(:living)}, {2, constant(:dead)}, {1, constant(:absent)}])

    map(each(ids ++ [77], fn id -> map(fates, &{&1, id}) end), fn drawn ->
      # Player 77 does not exist: its character is rare, and lives when it is there.
      living = for {:living, id} <- drawn, id != 77, do: id
      dead = for {:dead, id} <- drawn, id != 77, do: id
      if {:absent, 77} in drawn, do: {living ++ [77], dead}, else: {living, dead}
    end)
  end

  defp character(id, places) do
    struct_of(%PlayerCharacter{},
      player_id: constant(id),
      position: extended(frequency([{19, member(places)}, {1, small_coord()}])),
      health: frequency([{1, constant(0)}, {20, integer(1..6)}, {1, constant(@int64_max)}]),
      action_points:
        frequency([{20, integer(0..3)}, {1, integer(4..9)}, {1, constant(@int64_max)}])
    )
    |> extended()
  end

  defp small_coord,
    do: struct_of(%Coord{}, q: integer(-4..4), r: integer(-4..4))

  defp by_id(ids, gen_of, id_of),
    do: map(each(ids, gen_of), fn values -> Map.new(values, &{id_of.(&1), &1}) end)

  # A field that no version knows, in `percent` of 100 structs.
  defp extended(gen, percent \\ 5) do
    bind(gen, fn struct ->
      bind(chance(percent), fn
        true -> map(RandomTerms.term(), &Map.put(struct, :unheard_of, &1))
        false -> constant(struct)
      end)
    end)
  end

  defp maybe_older(game) do
    bind(frequency([{7, constant(4)}, {1, constant(3)}, {1, constant(2)}, {1, constant(1)}]), fn
      4 -> constant(game)
      version -> map(older(3, game, version), &%{&1 | version: version})
    end)
  end

  defp older(step, game, version) when step < version, do: constant(game)

  defp older(step, game, version),
    do: bind(without(step, game), &older(step - 1, &1, version))

  # What the upgrade from `step` adds is taken away.
  defp without(3, game) do
    map(each(Map.values(game.events_log.events), &undated/1), fn events ->
      put_in_log(game, :events, Map.new(events, &{&1.id, &1}))
    end)
  end

  defp without(2, game) do
    visible = Map.to_list(game.events_log.events_visible_by_player)
    map(some_of(visible, 60), &put_in_log(game, :events_visible_by_player, Map.new(&1)))
  end

  defp without(1, game) do
    map(chance(80), fn
      true -> Map.delete(game, :events_log)
      false -> game
    end)
  end

  defp undated(event) do
    map(chance(70), fn
      true -> %{event | round: event.round + 1}
      false -> Map.delete(event, :round)
    end)
  end

  defp put_in_log(game, field, value),
    do: %{game | events_log: Map.put(game.events_log, field, value)}
end
