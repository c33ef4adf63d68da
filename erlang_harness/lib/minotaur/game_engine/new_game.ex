defmodule Minotaur.GameEngine.NewGame do
  @moduledoc """
  Sets up a game: 37 hexes with six walls, the players spread over the outer ring.
  """

  alias Minotaur.GameEngine.{
    Coord,
    EventsLog,
    Game,
    GridHex,
    Player,
    PlayerCharacter,
    Shape,
    Shapes,
    Vector,
    World
  }

  @radius 3
  @walls [{2, 0}, {0, 2}, {-2, 2}, {-2, 0}, {0, -2}, {2, -2}]
  @users_max 18
  @join_code_bytes_max 64

  # The outer ring is walked from (3,-3), three steps in each of SE, SW, W, NW, NE, E.
  @ring_start {3, -3}
  @ring_directions [{0, 1}, {-1, 1}, {-1, 0}, {0, -1}, {1, -1}, {1, 0}]

  @type error :: {:error, {:invalid_users, Shape.path(), Shape.reason()}}

  @doc """
  Make the first state of a game between `users`: 1 to #{@users_max} maps with `id` (any term) and
  `display_name` (a binary). Player ids are 1, 2, 3 … in the order of the list.

  `now` and `round_seconds` (0: no timer) give the end of the first round. The game's id is a fresh
  UUID unless given.

  Errors: `{:invalid_users, path, reason}`, the path from the list, as `[1, :id]`.
  """
  @spec create(term, DateTime.t(), non_neg_integer, Game.id()) :: {:ok, Game.t()} | error
  def create(users, now, round_seconds, id \\ uuid()) do
    with :ok <- check_users(users) do
      players = players(users)

      {:ok,
       %Game{
         id: id,
         round_end_time: Game.round_end_time(now, round_seconds),
         players: players,
         events_log: %EventsLog{
           events_visible_by_player: Map.new(players, fn {player_id, _} -> {player_id, []} end)
         },
         world: %World{grid: grid(), player_characters: characters(length(users))}
       }}
    end
  end

  @doc """
  Check a join code: nil, or a non-empty binary of at most #{@join_code_bytes_max} bytes.

  To be asked before `create/4`: a bad join code is reported before bad users.
  """
  @spec check_join_code(term) :: :ok | {:error, :invalid_join_code}
  def check_join_code(nil), do: :ok

  def check_join_code(code)
      when is_binary(code) and byte_size(code) in 1..@join_code_bytes_max,
      do: :ok

  def check_join_code(_code), do: {:error, :invalid_join_code}

  @doc "A fresh random UUID (version 4) in lower case."
  @spec uuid() :: Game.id()
  def uuid do
    <<a::32, b::16, _::4, c::12, _::2, d::14, e::48>> = :crypto.strong_rand_bytes(16)
    hex = Base.encode16(<<a::32, b::16, 4::4, c::12, 2::2, d::14, e::48>>, case: :lower)
    <<a::binary-8, b::binary-4, c::binary-4, d::binary-4, e::binary-12>> = hex
    Enum.join([a, b, c, d, e], "-")
  end

  defp check_users(users) do
    with :ok <- Shape.check(users, {:list, :any}),
         :ok <- check_length(length(users)),
         :ok <- Shape.check(users, {:list, Shapes.user()}) do
      :ok
    else
      {:error, path, reason} -> {:error, {:invalid_users, path, reason}}
    end
  end

  defp check_length(length) when length in 1..@users_max, do: :ok
  defp check_length(_length), do: {:error, [], {:expected, {:length, 1, @users_max}}}

  defp players(users) do
    for {user, player_id} <- Enum.with_index(users, 1), into: %{} do
      {player_id, %Player{id: player_id, user_id: user.id, display_name: user.display_name}}
    end
  end

  defp grid do
    for q <- -@radius..@radius, r <- -@radius..@radius, abs(q + r) <= @radius, into: %{} do
      coord = %Coord{q: q, r: r}
      {coord, %GridHex{coord: coord, terrain: if({q, r} in @walls, do: :wall, else: :floor)}}
    end
  end

  defp characters(count) do
    ring = ring()

    for index <- 0..(count - 1), into: %{} do
      {q, r} = Enum.at(ring, div(index * length(ring), count))
      {index + 1, %PlayerCharacter{player_id: index + 1, position: %Coord{q: q, r: r}}}
    end
  end

  defp ring do
    steps = for {q, r} <- @ring_directions, _step <- 1..@radius, do: %Vector{q: q, r: r}
    [@ring_start | Enum.scan(Enum.drop(steps, -1), @ring_start, &Vector.lead/2)]
  end
end
