defmodule Minotaur.GameEngine.SessionCallTest do
  @moduledoc "Calls that break off: found again, never carried out twice."

  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.SessionCall

  setup do
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = GameEngine.continue_game(game)
    on_exit(fn -> Process.exit(pid, :kill) end)
    [game: game, pid: pid]
  end

  # The old process passed the call on, and ended before the answer was there.
  test "an update that was carried out is not carried out again", ctx do
    old = spawn_old(ctx.pid, pass_on: true)
    assert %{round: 2} = SessionCall.run(fn -> old end, :end_round)
    assert {:ok, %{round: 2}} = GameEngine.get_game(ctx.game.id)

    old = spawn_old(ctx.pid, pass_on: true)
    request = {:register_move, "user-1", first_move(ctx.game)}
    assert {:ok, %{registered_actions: %{1 => [_one]}}} = SessionCall.run(fn -> old end, request)
    assert {:ok, %{registered_actions: %{1 => [_one]}}} = GameEngine.get_game(ctx.game.id)
  end

  # The old process ended without passing it on.
  test "an update that was lost is carried out", ctx do
    old = spawn_old(ctx.pid, pass_on: false)
    assert %{round: 2} = SessionCall.run(fn -> old end, :end_round)
    assert {:ok, %{round: 2}} = GameEngine.get_game(ctx.game.id)
  end

  # The forwarded call comes by the longer way: after its repetition.
  test "an update that arrives after its repetition is dropped", ctx do
    own = self()

    old =
      spawn(fn ->
        receive do
          {:"$gen_call", _from, _request} = call ->
            send(own, {:late, call})
            exit({:shutdown, {:moved, ctx.pid}})
        end
      end)

    assert %{round: 2} = SessionCall.run(fn -> old end, :end_round)
    assert_receive {:late, call}
    send(ctx.pid, call)
    assert {:ok, %{round: 2}} = GameEngine.get_game(ctx.game.id)
    assert {:ok, %{round: 3}} = GameEngine.end_round(ctx.game.id)
  end

  # A host that knows nothing of repetitions cannot say: the caller hears that nobody knows.
  test "what cannot be known is in doubt", ctx do
    older = spawn(fn -> answer_all({:error, :unknown_request}) end)
    old = spawn_old(older, pass_on: false)
    assert {:error, :in_doubt} = SessionCall.run(fn -> old end, :end_round)
    assert {:ok, %{round: 1}} = GameEngine.get_game(ctx.game.id)
  end

  # A session that has forgotten updates since cannot know, however young the repetition says it is:
  # it may have been on its way for as long as its caller waits.
  test "a repetition that travels long is in doubt", ctx do
    for _ <- 1..400, do: {:ok, _game} = GameEngine.end_round(ctx.game.id)
    %{carried_out: %{forgotten_ms: forgotten_ms}} = :sys.get_state(ctx.pid)
    age_ms = max(System.monotonic_time(:millisecond) - forgotten_ms - 1, 0)
    assert :in_doubt = GenServer.call(ctx.pid, {:repeat, make_ref(), age_ms, :end_round})
  end

  # A process that was not there has got nothing: the plain call is made once more.
  test "a process that is gone leaves no doubt", ctx do
    dead = spawn(fn -> :ok end)
    monitor = Process.monitor(dead)
    assert_receive {:DOWN, ^monitor, _, _, _}
    {:ok, finds} = Agent.start_link(fn -> [dead, ctx.pid] end)
    find = fn -> Agent.get_and_update(finds, fn [pid | more] -> {pid, more} end) end
    assert %{round: 2} = SessionCall.run(find, :end_round)
    refute :sys.get_state(ctx.pid).carried_out.repeats
  end

  # A paused copy whose source goes on ends so, with all who called it: the session lives elsewhere.
  test "an orderly end is not yet the end of the session", ctx do
    copy = spawn(fn -> receive(do: ({:"$gen_call", _from, _request} -> :ok)) end)
    {:ok, finds} = Agent.start_link(fn -> [copy, ctx.pid] end)
    find = fn -> Agent.get_and_update(finds, fn [pid | more] -> {pid, more} end) end
    assert %{round: 2} = SessionCall.run(find, :end_round)
  end

  # Its node is lost, and the session runs elsewhere already: nobody waits.
  test "a session that has left the lost node is called at once", ctx do
    lost = pid_on(:"lost@127.0.0.1")
    {:ok, finds} = Agent.start_link(fn -> [lost, ctx.pid] end)
    find = fn -> Agent.get_and_update(finds, fn [pid | more] -> {pid, more} end) end
    assert {0, %{round: 2}} = pauses(fn -> SessionCall.run(find, :end_round) end)
  end

  # The names still lead to the lost node: they are looked up again, after a pause.
  test "a lost node that names still lead to is given a moment", ctx do
    lost = pid_on(:"lost@127.0.0.1")
    {:ok, finds} = Agent.start_link(fn -> [lost, lost, ctx.pid] end)
    find = fn -> Agent.get_and_update(finds, fn [pid | more] -> {pid, more} end) end
    assert {1, %{round: 2}} = pauses(fn -> SessionCall.run(find, :end_round) end)
  end

  # Nobody to be found is not alive, at once.
  test "nobody is not alive" do
    assert {:error, :game_not_alive} = SessionCall.run(fn -> nil end, :end_round)
  end

  # Nobody has it when it is called, for its node was lost just before: not for ever.
  test "a session whose node was lost just before is given a moment", ctx do
    {:ok, finds} = Agent.start_link(fn -> [:lost, :lost, ctx.pid] end)
    find = fn -> Agent.get_and_update(finds, fn [pid | more] -> {pid, more} end) end
    assert {2, %{round: 2}} = pauses(fn -> SessionCall.run(find, :end_round) end)
    run = fn -> SessionCall.run(fn -> :lost end, :end_round) end
    assert {5, {:error, :game_not_alive}} = pauses(run)
    assert {0, {:error, :game_not_alive}} = pauses(fn -> SessionCall.run(fn -> nil end, :get) end)
  end

  # NEW_PID_EXT of a node that nobody has.
  defp pid_on(node) do
    name = Atom.to_string(node)
    :erlang.binary_to_term(<<131, 88, 119, byte_size(name), name::binary, 1::32, 0::32, 1::32>>)
  end

  # How often `fun` slept, and what it answered.
  defp pauses(fun) do
    :erlang.trace_pattern({Process, :sleep, 1}, true, [])
    task = Task.async(fn -> receive(do: (:go -> fun.())) end)
    :erlang.trace(task.pid, true, [:call])
    send(task.pid, :go)
    answer = Task.await(task)
    delivered = :erlang.trace_delivered(task.pid)
    assert_receive {:trace_delivered, _pid, ^delivered}
    :erlang.trace_pattern({Process, :sleep, 1}, false, [])
    {count_pauses(task.pid, 0), answer}
  end

  defp count_pauses(pid, count) do
    receive do
      {:trace, ^pid, :call, {Process, :sleep, _}} -> count_pauses(pid, count + 1)
    after
      0 -> count
    end
  end

  # A process that ends when it is called, and says that the session went to `new`.
  defp spawn_old(new, pass_on: pass_on?) do
    spawn(fn ->
      receive do
        {:"$gen_call", _from, _request} = call ->
          if pass_on?, do: send(new, without_answer(call))
          if pass_on? and is_pid(new), do: :sys.get_state(new)
          exit({:shutdown, {:moved, new}})
      end
    end)
  end

  # As if the answer were lost with the connection: the tag is the same, the pid is nobody's.
  defp without_answer({:"$gen_call", {_caller, [:alias | tag]}, request}) do
    {:"$gen_call", {spawn(fn -> :ok end), tag}, request}
  end

  defp answer_all(answer) do
    receive(do: ({:"$gen_call", from, _request} -> GenServer.reply(from, answer)))
    answer_all(answer)
  end

  defp first_move(game) do
    Enum.find_value(Minotaur.GameEngine.Vector.directions(), fn vector ->
      match?({:ok, _}, Minotaur.GameEngine.Rules.register_move(game, "user-1", vector)) && vector
    end)
  end
end
