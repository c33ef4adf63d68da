defmodule Minotaur.Walker do
  @moduledoc """
  A client that walks over many sessions: at each it gets the game, then makes the next move.

  Runs on a calling BEAM node. A walker is a process with a share of the sessions; it goes round
  them, in an order of chance, until it is told to stop. It plays every game along by the rules, so
  an answer that lacks an update, or has one twice, is seen at once, and in the end each game is
  compared with what it must be, term by term.

  On a node that is no member of the cluster (a hidden one) it keeps the pid of each session, as a
  LiveView does, and asks a host for it by rpc when nobody is there any more.
  """

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{NewGame, Rules, SessionCall, Vector, World}
  alias Minotaur.SessionHost

  @users for n <- 1..4, do: %{id: "user-#{n}", display_name: "Player #{n}"}
  @directions [{0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}]
  @turns length(@users) + 1
  @rounds_before 3
  @starts_at_once 64
  @nothing %{calls: 0, failed: %{}, wrong: 0, longest: [0]}
  @start_ms 60_000

  @type result :: %{
          calls: non_neg_integer,
          failed: %{term => pos_integer},
          wrong: non_neg_integer,
          longest: [non_neg_integer]
        }

  @doc """
  Starts `count` sessions on the host of `node`, or where placement says (nil), with games of a few
  rounds, and `walkers` processes that share them.
  """
  @spec start(node | nil, pos_integer, pos_integer) :: [pid]
  def start(node, count, walkers) do
    walkers = min(walkers, count)

    sizes =
      for n <- 1..walkers, do: div(count, walkers) + if(n <= rem(count, walkers), do: 1, else: 0)

    me = self()
    started = for size <- sizes, do: spawn_monitor(fn -> run(me, node, size) end)

    for {pid, monitor} <- started do
      receive do
        {^pid, :started} -> Process.demonitor(monitor, [:flush])
        {:DOWN, ^monitor, _, _, reason} -> exit({:walker_failed, reason})
      end

      pid
    end
  end

  @doc "Lets the walkers walk from now on; they find sessions by `:global`, or by asking `host`."
  @spec walk([pid], node | nil) :: :ok
  def walk(walkers, host \\ nil) do
    for walker <- walkers, do: send(walker, {self(), :walk, host})
    :ok
  end

  @doc "How many calls the walkers have made."
  @spec calls([pid]) :: non_neg_integer
  def calls(walkers), do: report(walkers).calls

  @doc "What the walkers have seen so far; `longest` is of the longest call only."
  @spec report([pid]) :: result
  def report(walkers), do: walkers |> ask(:report) |> Enum.reduce(&merge/2)

  @doc "Stops the walkers and answers what they saw: for each session its longest call, in ns."
  @spec stop([pid]) :: result
  def stop(walkers) do
    walkers |> ask(:stop) |> Enum.reduce(&merge/2)
  end

  @doc "Ends the walkers; answers how many games, got once more, are not what they must be."
  @spec verify([pid]) :: non_neg_integer
  def verify(walkers), do: walkers |> ask(:verify) |> Enum.sum()

  defp merge(a, b) do
    %{
      calls: a.calls + b.calls,
      failed: Map.merge(a.failed, b.failed, fn _reason, m, n -> m + n end),
      wrong: a.wrong + b.wrong,
      longest: a.longest ++ b.longest
    }
  end

  # All at once, for each may take a while.
  defp ask(walkers, request) do
    for walker <- walkers, do: send(walker, {self(), request})
    for walker <- walkers, do: receive(do: ({^walker, answer} -> answer))
  end

  # -- a walker

  defp run(owner, node, count) do
    {template, script} = template()
    games = for _n <- 1..count, do: %{template | id: NewGame.uuid()}
    start_all(games, node)
    send(owner, {self(), :started})
    idle(Enum.shuffle(for game <- games, do: {game, 0, 0}), script)
  end

  # A game as it is after a few rounds: with a log of events.
  defp template do
    {:ok, game} = NewGame.create(@users, DateTime.utc_now(), 0)
    script = script(game)

    turns = 0..(@rounds_before * @turns - 1)
    {Enum.reduce(turns, game, &apply_turn(&1, &2, script)), script}
  end

  @doc "For each player of a game a user id, a step to a neighbouring hex, and the step back."
  @spec script(struct) :: [{term, struct, struct}]
  def script(game) do
    for {_id, character} <- game.world.player_characters do
      %{q: q, r: r} = character.position
      {a, b} = Enum.find(@directions, fn {a, b} -> World.floor?(game.world, {q + a, r + b}) end)
      user = game.players[character.player_id].user_id
      {user, %Vector{q: a, r: b}, %Vector{q: -a, r: -b}}
    end
  end

  defp start_all(games, node) do
    games
    |> Task.async_stream(&start_session(&1, node),
      max_concurrency: @starts_at_once,
      timeout: @start_ms
    )
    |> Enum.each(fn {:ok, pid} when is_pid(pid) -> :ok end)
  end

  defp start_session(game, nil) do
    {:ok, pid} = GameEngine.continue_game(game)
    pid
  end

  defp start_session(game, node) do
    {:ok, pid} = GenServer.call({SessionHost, node}, {:start_session, nil, game}, @start_ms)
    pid
  end

  defp idle(sessions, script) do
    receive do
      {_from, :walk, host} -> walk_on(sessions, host, script)
      {from, :verify} -> send(from, {self(), Enum.count(sessions, &differs?/1)})
    end
  end

  defp walk_on(sessions, host, script) do
    Process.put(:host, host)
    go_round(sessions, [], @nothing, script)
  end

  defp go_round([], done, stats, script), do: go_round(Enum.reverse(done), [], stats, script)

  defp go_round([session | rest] = sessions, done, stats, script) do
    receive do
      {from, :stop} ->
        sessions = sessions ++ done
        longest = for {_game, _turn, ns} <- sessions, ns > 0, do: ns
        send(from, {self(), %{stats | longest: longest}})
        idle(sessions, script)

      {from, :report} ->
        send(from, {self(), stats})
        go_round(sessions, done, stats, script)
    after
      0 ->
        {session, stats} = visit(session, stats, script)
        go_round(rest, [session | done], stats, script)
    end
  end

  defp visit({game, turn, longest}, stats, script) do
    {get_ns, got} = timed(fn -> get_game(game.id) end)
    {game, stats} = compare(got, game, game, stats)
    {turn_ns, answer} = timed(fn -> call_turn(turn, game, script) end)
    {next, stats} = compare(answer, apply_turn(turn, game, script), game, stats)
    turn = if next == game, do: turn, else: turn + 1
    here = max(get_ns, turn_ns)
    {{next, turn, max(longest, here)}, %{stats | longest: [max(hd(stats.longest), here)]}}
  end

  # What an answer must show, and what is known to be so afterwards.
  defp compare({:ok, got}, expected, _before, stats) do
    stats = %{stats | calls: stats.calls + 1}
    if same?(got, expected), do: {expected, stats}, else: {got, %{stats | wrong: stats.wrong + 1}}
  end

  defp compare(failure, _expected, before, stats) do
    failed = Map.update(stats.failed, reason(failure), 1, &(&1 + 1))
    {before, %{stats | calls: stats.calls + 1, failed: failed}}
  end

  defp reason({:exit, {reason, {GenServer, :call, _arguments}}}), do: reason
  defp reason(other), do: other

  # What updates change; all of it is compared in the end.
  defp same?(got, expected) do
    got.id == expected.id and got.round == expected.round and
      got.registered_actions == expected.registered_actions
  end

  defp differs?({game, _turn, _longest}) do
    {_ns, answer} = timed(fn -> get_game(game.id) end)
    answer !== {:ok, game}
  end

  # In each round every player makes a step, forth and back.
  defp turn(turn, game, script) do
    case Enum.at(script, rem(turn, @turns)) do
      nil -> :end_round
      {user, forth, back} -> {user, if(rem(game.round, 2) == 1, do: forth, else: back)}
    end
  end

  defp apply_turn(turn, game, script) do
    case turn(turn, game, script) do
      :end_round -> Rules.end_round(game, DateTime.utc_now(), 0)
      {user, vector} -> game |> Rules.register_move(user, vector) |> elem(1)
    end
  end

  defp call_turn(turn, game, script) do
    case turn(turn, game, script) do
      :end_round -> end_round(game.id)
      {user, vector} -> register_move(game.id, user, vector)
    end
  end

  # What the functions of GameEngine do, on a node to which `:global` tells nothing.

  defp get_game(id), do: ask_session(id, :get_game, fn -> GameEngine.get_game(id) end)
  defp end_round(id), do: ask_session(id, :end_round, fn -> GameEngine.end_round(id) end)

  defp register_move(id, user, vector) do
    request = {:register_move, user, vector}
    ask_session(id, request, fn -> GameEngine.register_move(id, user, vector) end)
  end

  defp ask_session(id, request, as_member) do
    case Process.get(:host) do
      nil ->
        as_member.()

      host ->
        Process.put(:kept, Process.get({:pid, id}))
        fn -> find(host, id) end |> SessionCall.run(request) |> wrap(request)
    end
  end

  # Asked for a second time: the one that was kept is gone.
  defp find(host, id) do
    Process.delete(:kept) || tap(whereis(host, id), &Process.put({:pid, id}, &1))
  end

  defp whereis(host, id), do: :erpc.call(host, GameEngine, :whereis, [id])

  defp wrap({:error, _reason} = error, _request), do: error
  defp wrap(answer, {:register_move, _user, _vector}), do: answer
  defp wrap(game, _request), do: {:ok, game}

  defp timed(call) do
    from = now_ns()
    answer = catch_exit(call)
    {now_ns() - from, answer}
  end

  defp catch_exit(call) do
    call.()
  catch
    :exit, reason -> {:exit, reason}
  end

  defp now_ns, do: System.monotonic_time(:nanosecond)
end
