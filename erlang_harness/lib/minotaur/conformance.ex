defmodule Minotaur.Conformance do
  @moduledoc """
  One suite for every implementation of the game: the same requests, and answers that are equal as
  terms.

  Two drivers (`Minotaur.Conformance.Driver`) are compared with each other; `Driver.pure/0`, the
  Elixir rules without processes, serves as the reference for one. All games and requests follow
  from a seed, so a mismatch names all that is needed to see it again:

      iex> Conformance.play(Driver.pure(), Driver.node(:"c1@host"), 4711, 20)
      {:mismatch, %{seed: 4711, step: 17, request: {:call, :end_round}, left: 2, right: 3,
        path_of_first_difference: [:world, :player_characters, 1, :action_points], …}}

  The functions that end in `_node` or `_nodes` take node names, for calls from a test that is not
  itself distributed:

      Cluster.call(cluster, observer, Conformance, :play_node, [node, 1..100, 20, 0])

  A game that is started on a node may be placed on another host of its cluster. So a node is
  compared with the reference, by an observer that is no host, in a cluster of one host.
  """

  alias Minotaur.Conformance.{Diff, Driver, Gen, Malformed, RandomGame, RandomRequests}
  alias Minotaur.GameEngine.{Game, StateImport}

  @typedoc """
  Where two implementations part. `left` and `right` are what the drivers have at the path of the
  first difference within their answers; `step` counts the steps of the play from 1.
  """
  @type mismatch :: %{
          required(:seed) => integer | nil,
          required(:step) => non_neg_integer,
          required(:request) => term,
          required(:left) => term,
          required(:right) => term,
          required(:path_of_first_difference) => [term],
          required(:drivers) => {term, term}
        }

  @type result :: :ok | {:mismatch, mismatch}

  # Two nodes start a round at different moments; so far apart they may be.
  @clock_tolerance_s 2

  @doc "The random game of `seed`: valid, of a version that an import accepts."
  @spec random_game(integer) :: map
  def random_game(seed) do
    {game, _rng} = Gen.run(RandomGame.game(), Gen.seeded(seed))
    game
  end

  @doc "Random steps of one round of `game`, its end included, and the next state of `rng`."
  @spec random_requests(Gen.rng(), Game.t()) :: {[RandomRequests.step()], Gen.rng()}
  def random_requests(rng, %Game{} = game), do: Gen.run(RandomRequests.round(game), rng)

  @doc """
  Play `rounds` rounds of the random game of `seed` against both drivers, and compare every answer.

  Each driver gets the game under an id of its own, since both may live in one cluster. The end of
  a round that was begun here may differ by #{@clock_tolerance_s} s; all else must be equal.
  """
  @spec play(Driver.t(), Driver.t(), integer, pos_integer) :: result
  def play(%Driver{} = left, %Driver{} = right, seed, rounds) do
    game = random_game(seed)

    play = %{
      seed: seed,
      step: 0,
      id: game.id,
      drivers: {left, right},
      sessions: nil,
      game: nil,
      round: nil
    }

    with {:ok, play} <- start(play, game),
         {:ok, play} <- check_import(play, game),
         {:ok, play} <- play_rounds(play, Gen.seeded(seed + 1), rounds),
         {:ok, play} <- check_status(play) do
      stop(play)
    end
  end

  @doc "Play every seed of `seeds`; the first mismatch, if any."
  @spec play_all(Driver.t(), Driver.t(), Enumerable.t(), pos_integer) :: result
  def play_all(left, right, seeds, rounds) do
    Enum.find_value(seeds, :ok, fn seed ->
      with :ok <- play(left, right, seed, rounds), do: nil
    end)
  end

  @doc """
  As `play_all/4`, between the reference on this node and the sessions of `node`, whose rounds last
  `round_seconds`.
  """
  @spec play_node(node, Enumerable.t(), pos_integer, non_neg_integer) :: result
  def play_node(node, seeds, rounds, round_seconds),
    do: play_all(reference(round_seconds), Driver.node(node), seeds, rounds)

  @doc "As `play_all/4`, between the sessions of two nodes that share no cluster of hosts."
  @spec play_nodes(node, node, Enumerable.t(), pos_integer) :: result
  def play_nodes(left, right, seeds, rounds),
    do: play_all(Driver.node(left), Driver.node(right), seeds, rounds)

  @doc """
  What no implementation may accept as a game, and what it must answer: `{description, term,
  error}`. See `Minotaur.Conformance.Malformed`.
  """
  @spec malformed_games() :: [{String.t(), term, {:error, term}}]
  def malformed_games, do: Malformed.games()

  @doc "What no implementation may accept as users, and what it must answer."
  @spec malformed_users() :: [{String.t(), term, {:error, term}}]
  def malformed_users, do: Malformed.users()

  @doc "Give every malformed game and list of users to `driver`, and compare the errors."
  @spec check_malformed(Driver.t()) :: result
  def check_malformed(%Driver{} = driver) do
    with :ok <- check_errors(driver, malformed_games(), driver.continue) do
      check_errors(driver, malformed_users(), driver.create)
    end
  end

  @doc "As `check_malformed/1`, on a node."
  @spec check_malformed_node(node) :: result
  def check_malformed_node(node), do: check_malformed(Driver.node(node))

  @doc """
  Make a new game of 1 to 18 users with both drivers: equal but for the ids, which must be UUIDs of
  version 4, and the end of the round, which may differ by #{@clock_tolerance_s} s.
  """
  @spec check_new_games(Driver.t(), Driver.t()) :: result
  def check_new_games(%Driver{} = left, %Driver{} = right) do
    Enum.find_value(Malformed.good_users(), :ok, fn users ->
      with :ok <- check_new_game(left, right, users), do: nil
    end)
  end

  @doc "As `check_new_games/2`, between the reference and a node whose rounds last `round_seconds`."
  @spec check_new_games_node(node, non_neg_integer) :: result
  def check_new_games_node(node, round_seconds),
    do: check_new_games(reference(round_seconds), Driver.node(node))

  defp reference(round_seconds), do: Driver.pure(round_seconds: round_seconds)

  # --- A play ---

  defp start(%{drivers: {left, right}} = play, game) do
    case {left.continue.(%{game | id: left_id(play)}),
          right.continue.(%{game | id: right_id(play)})} do
      {{:ok, l}, {:ok, r}} -> {:ok, %{play | sessions: {l, r}}}
      {l, r} -> mismatch(play, :continue_game, {[], l, r})
    end
  end

  # The game must have come through the import as the Elixir one leaves it, to the second.
  defp check_import(play, game) do
    {:ok, imported} = StateImport.import_game(game)

    with {:ok, play} <- step(%{play | game: imported, round: imported.round}, {:call, :get_game}) do
      case Diff.first(imported, play.game) do
        nil -> {:ok, play}
        difference -> mismatch(play, :import, difference)
      end
    end
  end

  defp play_rounds(play, _rng, 0), do: {:ok, play}

  defp play_rounds(play, rng, rounds) do
    {steps, rng} = random_requests(rng, play.game)

    with {:ok, play} <- steps(play, steps), do: play_rounds(play, rng, rounds - 1)
  end

  defp steps(play, steps) do
    Enum.reduce_while(steps, {:ok, play}, fn step, {:ok, play} ->
      case step(play, step) do
        {:ok, play} -> {:cont, {:ok, play}}
        mismatch -> {:halt, mismatch}
      end
    end)
  end

  defp step(play, {:call, request}) do
    %{drivers: {left, right}, sessions: {l, r}} = play
    {left_answer, l} = left.call.(l, request)
    {right_answer, r} = right.call.(r, request)

    compare(%{play | sessions: {l, r}, step: play.step + 1}, request, left_answer, right_answer)
  end

  defp step(play, {kind, message}) do
    %{drivers: {left, right}, sessions: {l, r}} = play
    sessions = {left.send.(l, kind, message), right.send.(r, kind, message)}

    # What the message did shows in the answer to the next call.
    case step(%{play | sessions: sessions}, {:call, :get_game}) do
      {:mismatch, mismatch} -> {:mismatch, %{mismatch | request: {kind, message}}}
      ok -> ok
    end
  end

  defp compare(play, request, left, right) do
    left = normalise(left, left_id(play), play.id)
    right = normalise(right, right_id(play), play.id)
    right = same_clock(left, right, play.round)

    case Diff.first(left, right) do
      nil -> {:ok, %{play | game: game_in(left) || play.game}}
      difference -> mismatch(play, request, difference)
    end
  end

  defp check_status(%{drivers: {left, right}, game: game} = play) do
    users = for {_player_id, player} <- game.players, do: player.user_id

    Enum.find_value(["nobody" | users], {:ok, play}, fn user_id ->
      answers = {left.status.(game, user_id), right.status.(game, user_id)}

      with {path, l, r} <- Diff.first(elem(answers, 0), elem(answers, 1)),
           do: mismatch(play, {:get_player_status, user_id}, {path, l, r})
    end)
  end

  defp stop(%{drivers: {left, right}, sessions: {l, r}} = play) do
    case {left.stop.(l), right.stop.(r)} do
      {:normal, :normal} -> :ok
      {l, r} -> mismatch(play, :end_session, {[], l, r})
    end
  end

  defp mismatch(play, request, {path, left, right}) do
    %{drivers: {left_driver, right_driver}} = play

    {:mismatch,
     %{
       seed: play.seed,
       step: play.step,
       request: request,
       left: left,
       right: right,
       path_of_first_difference: path,
       drivers: {left_driver.name, right_driver.name}
     }}
  end

  # --- What may differ ---

  defp left_id(%{id: id}), do: own_id("1e", id)
  defp right_id(%{id: id}), do: own_id("2e", id)
  defp own_id(mark, <<_::binary-2, rest::binary>>), do: mark <> rest

  defp normalise(%Game{id: own} = game, own, id), do: %{game | id: id}
  defp normalise({:ok, %Game{} = game}, own, id), do: {:ok, normalise(game, own, id)}
  defp normalise(answer, _own, _id), do: answer

  # The end of the round with which the game was imported is nobody's clock, and must be equal.
  defp same_clock({:ok, %Game{} = left}, {:ok, %Game{} = right}, imported_round),
    do: {:ok, same_clock(left, right, imported_round)}

  defp same_clock(%Game{} = left, %Game{} = right, imported_round) do
    if left.round != imported_round and near?(left.round_end_time, right.round_end_time),
      do: %{right | round_end_time: left.round_end_time},
      else: right
  end

  defp same_clock(_left, right, _imported_round), do: right

  # Both must be written as whole seconds of UTC.
  defp near?(%DateTime{} = left, %DateTime{} = right) do
    whole?(left) and whole?(right) and abs(DateTime.diff(left, right)) <= @clock_tolerance_s
  end

  defp near?(_left, _right), do: false

  defp whole?(datetime), do: datetime === DateTime.from_unix!(DateTime.to_unix(datetime))

  defp game_in(%Game{} = game), do: game
  defp game_in({:ok, %Game{} = game}), do: game
  defp game_in(_answer), do: nil

  # --- Errors and new games ---

  defp check_errors(driver, cases, fun) do
    Enum.find_value(cases, :ok, fn {description, term, expected} ->
      with {path, left, right} <- Diff.first(expected, fun.(term)) do
        mismatch(without_play({%{name: :expected}, driver}), description, {path, left, right})
      end
    end)
  end

  defp check_new_game(left, right, users) do
    play = without_play({left, right})

    with {{:ok, l}, {:ok, r}} <- {left.create.(users), right.create.(users)},
         {%Game{} = left_game, l} <- left.call.(l, :get_game),
         {%Game{} = right_game, r} <- right.call.(r, :get_game),
         nil <- new_game_difference(left_game, right_game) do
      stop(%{play | sessions: {l, r}})
    else
      {path, left, right} -> mismatch(play, {:create_game, users}, {path, left, right})
      {left, right} -> mismatch(play, {:create_game, users}, {[], left, right})
    end
  end

  defp new_game_difference(left, right) do
    cond do
      not uuid_v4?(left.id) or not uuid_v4?(right.id) -> {[:id], left.id, right.id}
      left.id == right.id -> {[:id], left.id, right.id}
      true -> Diff.first(left, same_clock(left, %{right | id: left.id}, :none_imported))
    end
  end

  defp uuid_v4?(id) do
    is_binary(id) and
      Regex.match?(
        ~r/\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z/,
        id
      )
  end

  defp without_play(drivers),
    do: %{seed: nil, step: 0, id: nil, drivers: drivers, sessions: nil, game: nil, round: nil}
end
