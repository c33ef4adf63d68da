defmodule Minotaur.GameEngineTest do
  @moduledoc "The API on a lone node: a cluster of one host."

  use ExUnit.Case

  import ExUnit.CaptureLog
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{Names, SessionJoinCodeRegistry, SessionRegistry, Vector}

  @users [%{id: "a", display_name: "A"}, %{id: "b", display_name: "B"}]

  setup do
    put_setting(:round_seconds, 0)
    [code: "code-#{System.unique_integer([:positive])}"]
  end

  # A session is found under both of its names, through the API and by any Elixir process.
  test "a created game is found by id and by join code", %{code: code} do
    {:ok, pid} = GameEngine.create_game(code, @users)
    {:ok, %{id: id} = game} = GameEngine.get_game_by_join_code(code)

    assert {:ok, ^game} = GameEngine.get_game(id)
    assert GameEngine.whereis(id) == pid
    assert GenServer.call({:via, :global, {SessionRegistry, id}}, :get_game) == game
    assert GenServer.call({:global, {SessionJoinCodeRegistry, code}}, :get_game) == game
  end

  # The whole of a short game by the API.
  test "moves, attacks and rounds are answered as the rules say" do
    game = small_game_fixture()
    {:ok, _pid} = GameEngine.continue_game(game)
    [first, second | _] = Enum.sort_by(Map.values(game.players), & &1.id)

    assert {:ok, _} = GameEngine.register_attack(game.id, first.user_id, second.id)
    assert {:ok, moved} = GameEngine.register_move(game.id, second.user_id, %Vector{q: 1, r: 0})
    assert map_size(moved.registered_actions) == 2
    assert {:error, :illegal_move} = GameEngine.register_move(game.id, second.user_id, :north)
    assert {:ok, %{round: round}} = GameEngine.end_round(game.id)
    assert round == game.round + 1
    assert GameEngine.get_player_status(moved, first.user_id) == :active
    assert GameEngine.get_player_status(moved, :nobody) == {:error, :player_not_found}
  end

  # A session lives once.
  test "a game that is alive is not started again", %{code: code} do
    game = game_fixture()
    {:ok, pid} = GameEngine.continue_game(code, game)
    assert {:error, {:already_started, ^pid}} = GameEngine.continue_game(game)
    assert {:error, :join_code_taken} = GameEngine.create_game(code, @users)
    # Whose code was taken is not left behind.
    other = game_fixture()
    assert {:error, :join_code_taken} = GameEngine.continue_game(code, other)
    assert GameEngine.whereis(other.id) == nil
  end

  # Many games in one call: each answer in its place, as if it had been asked for alone.
  test "many games are created at once", %{code: code} do
    games = [{code, @users}, {nil, @users}, {code, @users}, {"", @users}, {nil, []}]
    answers = GameEngine.create_games(games)

    assert [{:ok, pid}, {:ok, other}, taken, no_code, no_users] = answers
    assert pid != other
    assert taken == {:error, :join_code_taken}
    assert no_code == {:error, :invalid_join_code}
    assert {:error, {:invalid_users, [], _}} = no_users
    assert {:ok, %{id: id}} = GameEngine.get_game_by_join_code(code)
    assert GameEngine.whereis(id) == pid
  end

  # A list that is none is refused whole, and says where.
  test "lists of games are checked first" do
    refused = fn games -> GameEngine.create_games(games) end
    game = {nil, @users}

    assert refused.(:x) == {:error, {:invalid_games, [], {:expected, :list}}}
    assert refused.([game | game]) == {:error, {:invalid_games, [], {:expected, :list}}}
    assert refused.([]) == {:error, {:invalid_games, [], {:expected, {:length, 1, 256}}}}

    assert refused.(List.duplicate(game, 257)) ==
             {:error, {:invalid_games, [], {:expected, {:length, 1, 256}}}}

    assert refused.([game, :x, game]) == {:error, {:invalid_games, [1], {:expected, :pair}}}
  end

  # Two who start the same game at once get one session.
  test "of two simultaneous starts one wins" do
    game = game_fixture()

    answers =
      1..8
      |> Enum.map(fn _ -> Task.async(fn -> GameEngine.continue_game(game) end) end)
      |> Task.await_many()

    assert [{:ok, pid}] = Enum.filter(answers, &match?({:ok, _}, &1))
    assert Enum.all?(answers -- [{:ok, pid}], &(&1 == {:error, {:already_started, pid}}))
    assert GameEngine.whereis(game.id) == pid
  end

  # What cannot be is said before anything is started.
  test "bad input is named" do
    assert {:error, {:invalid_game, [:round], _}} =
             GameEngine.continue_game(game_fixture(round: 0))

    assert {:error, {:invalid_users, [], _}} = GameEngine.create_game(nil, [])
    assert {:error, :invalid_join_code} = GameEngine.create_game("", [])
    assert {:error, :invalid_join_code} = GameEngine.continue_game(:code, :no_game)
  end

  # What is not there is said at once.
  test "a game that is not alive is an answer, not an exit" do
    assert GameEngine.get_game("no-such-id") == {:error, :game_not_alive}
    assert GameEngine.get_game_by_join_code("no-such-code") == {:error, :game_not_alive}
    assert GameEngine.end_round("no-such-id") == {:error, :game_not_alive}
    assert GameEngine.register_attack(:x, 1, 2) == {:error, :game_not_alive}
    assert GameEngine.whereis("no-such-id") == nil
    assert GameEngine.resume_active_sessions() == :ok
  end

  # A session ends when it is told to, and takes its names with it.
  test "an ended session is gone", %{code: code} do
    game = game_fixture()
    {:ok, pid} = GameEngine.continue_game(code, game)
    monitor = Process.monitor(pid)
    send(pid, :end_session)
    assert_receive {:DOWN, ^monitor, _, _, :normal}
    assert GameEngine.get_game(game.id) == {:error, :game_not_alive}
    wait_until(fn -> assert Names.whereis({:join_code, code}) == nil end)
  end

  # Messages from strangers change nothing.
  test "unknown requests are answered, unknown messages dropped" do
    game = game_fixture()
    {:ok, pid} = GameEngine.continue_game(game)

    log =
      capture_log(fn ->
        GenServer.cast(pid, :what)
        send(pid, {:handoff_activate, make_ref()})
        send(pid, "noise")
        assert GenServer.call(pid, :what) == {:error, :unknown_request}
      end)

    assert length(String.split(log, "dropped an unknown message")) == 4
    assert GameEngine.get_game(game.id) == {:ok, game}
  end

  # The timer ends the round at its time; a stale one ends nothing.
  test "a round ends by its timer" do
    put_setting(:round_seconds, 3_600)
    game = game_fixture(round_end_time: DateTime.add(DateTime.utc_now(), -1))
    {:ok, pid} = GameEngine.continue_game(game)
    wait_until(fn -> assert {:ok, %{round: 2}} = GameEngine.get_game(game.id) end)

    send(pid, {:round_timer_expired, 1})
    assert {:ok, %{round: 2, round_end_time: %DateTime{}}} = GameEngine.get_game(game.id)
    send(pid, {:round_timer_expired, 2})
    assert {:ok, %{round: 3}} = GameEngine.get_game(game.id)
  end

  # Without timers no round ends by itself, not even one that arrives with its end in the past.
  test "an imported end of a round is no timer where rounds have none" do
    game = game_fixture(round_end_time: ~U[2024-06-19 15:51:09Z])
    {:ok, pid} = GameEngine.continue_game(game)

    assert %{timer: nil} = :sys.get_state(pid)
    assert GameEngine.get_game(game.id) == {:ok, game}
  end

  # A full host says so.
  test "a host takes no more than its capacity" do
    put_setting(:capacity, 0)
    assert {:error, :no_host} = GameEngine.create_game(nil, @users)
    request = {:start_session, nil, game_fixture()}
    assert {:error, :full} = GenServer.call(Minotaur.SessionHost, request)
  end

  defp put_setting(key, value) do
    before = Application.fetch_env(:minotaur, key)
    Application.put_env(:minotaur, key, value)

    on_exit(fn ->
      case before do
        {:ok, value} -> Application.put_env(:minotaur, key, value)
        :error -> Application.delete_env(:minotaur, key)
      end
    end)
  end
end
