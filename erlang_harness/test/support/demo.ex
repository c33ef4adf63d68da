defmodule Minotaur.Demo do
  @moduledoc """
  The main job in front of your eyes: `scripts/demo`.

  A C node and a BEAM node form a cluster, a game lands on the C node and is played, the C node
  leaves while a caller keeps calling, the game goes on elsewhere, and a fresh C node takes its
  share of the next games. Each step says what it does and checks what it says; the first thing
  that is not so ends the demo with exit code 1.
  """

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.Vector
  alias Minotaur.Hosts

  @users [
    %{id: "ann", display_name: "Ann"},
    %{id: "bob", display_name: "Bob"},
    %{id: "cyd", display_name: "Cyd"},
    %{id: "dan", display_name: "Dan"}
  ]
  @settings [minotaur: [round_seconds: 0]]
  @games 40

  @doc "Plays the demo and ends the VM: exit code 0, or 1 when something it says is not so."
  @spec main :: no_return
  def main do
    started = now_ms()
    {:ok, cluster} = Manager.start_link(%{module: __MODULE__, test: :demo})
    play(cluster)
    GenServer.stop(cluster)
    say("Done in #{div(now_ms() - started, 100) / 10} s. Everything above was checked.")
    System.halt(0)
  rescue
    error ->
      IO.puts(:stderr, "\nNOT SO: " <> Exception.format(:error, error, __STACKTRACE__))
      System.halt(1)
  end

  defp play(cluster) do
    {beam, c} = start_cluster(cluster)
    {game, pid} = land_on(cluster, beam, c)
    game = play_rounds(cluster, beam, game, 3)
    stats = leave_under_load(cluster, beam, c, game)
    found_elsewhere(cluster, beam, game, pid, stats)
    fresh_node_takes_its_share(cluster, beam)
  end

  defp start_cluster(cluster) do
    step("A cluster of two: a BEAM node and a C node")
    beam = Cluster.start_node(cluster, kind: :beam, environment: @settings)
    c = Cluster.start_node(cluster, kind: :c, environment: @settings)
    release = Cluster.call(cluster, beam, :erlang, :system_info, [:otp_release])

    say("BEAM node   #{beam}, OTP #{release}")

    say("C node      #{c}, process #{Cluster.os_pid(cluster, c)} of the operating system")
    nodes = Cluster.call(cluster, beam, Node, :list)
    check(c in nodes, "the C node is in Node.list() of the BEAM node")
    check(Cluster.call(cluster, beam, Node, :ping, [c]) == :pong, "Node.ping(#{c}) answers :pong")
    {beam, c}
  end

  # Placement goes by the id, which is random: a few games until one belongs to the C node.
  defp land_on(cluster, beam, c) do
    step("A game, created from Elixir")

    {code, pid} =
      Enum.find_value(1..64, fn n ->
        code = "DEMO#{n}"
        {:ok, pid} = Cluster.call(cluster, beam, GameEngine, :create_game, [code, @users])
        say("create_game(#{inspect(code)}, users) -> #{inspect(pid)} on #{node(pid)}")
        if node(pid) == c, do: {code, pid}
      end) || raise "no game of 64 landed on the C node"

    {:ok, game} = Cluster.call(cluster, beam, GameEngine, :get_game_by_join_code, [code])
    found = Cluster.call(cluster, beam, :global, :whereis_name, [name(game)])
    check(found == pid, ":global.whereis_name({SessionRegistry, id}) on the BEAM node finds it")
    {game, pid}
  end

  defp play_rounds(cluster, beam, game, rounds) do
    step("#{rounds} rounds, played from the BEAM node")
    Enum.reduce(1..rounds, game, fn _round, game -> play_round(cluster, beam, game) end)
  end

  # Everybody goes round the outer ring while there is floor ahead.
  defp play_round(cluster, beam, game) do
    for {_id, character} <- game.world.player_characters do
      user = game.players[character.player_id].user_id
      move_somewhere(cluster, beam, game.id, user)
    end

    {:ok, after_round} = Cluster.call(cluster, beam, GameEngine, :end_round, [game.id])
    check(after_round.round == game.round + 1, "round #{game.round} ended")
    say("              " <> positions(after_round))
    after_round
  end

  defp move_somewhere(cluster, beam, id, user) do
    Enum.find([{0, 1}, {-1, 1}, {-1, 0}, {0, -1}, {1, -1}, {1, 0}], fn {q, r} ->
      arguments = [id, user, %Vector{q: q, r: r}]
      match?({:ok, _}, Cluster.call(cluster, beam, GameEngine, :register_move, arguments))
    end) || raise "#{user} cannot move"
  end

  defp leave_under_load(cluster, beam, c, game) do
    step("SIGTERM to the C node, while a caller on the BEAM node keeps calling")
    caller = Cluster.call(cluster, beam, __MODULE__, :start_caller, [game.id])

    wait_until(fn ->
      true = Cluster.call(cluster, beam, __MODULE__, :ask, [caller]).calls > 100
    end)

    before = Cluster.call(cluster, beam, __MODULE__, :ask, [caller])
    status = Cluster.stop_node(cluster, c, exit_status: :any)
    check(status == 0, "the C node has left with exit code #{status}: everything moved")
    left = Cluster.call(cluster, beam, __MODULE__, :ask, [caller])
    enough = left.calls + 100

    wait_until(fn ->
      true = Cluster.call(cluster, beam, __MODULE__, :ask, [caller]).calls > enough
    end)

    stats = Cluster.call(cluster, beam, __MODULE__, :stop_caller, [caller])

    say(
      "calls before the leave #{before.calls}, during it #{left.calls - before.calls}, " <>
        "after it #{stats.calls - left.calls}"
    )

    check(left.calls > before.calls, "calls were answered while it left")
    stats
  end

  defp found_elsewhere(cluster, beam, game, pid, stats) do
    check(
      stats.failed == [],
      "failed calls: #{length(stats.failed)}, longest call #{stats.longest_us / 1000} ms"
    )

    step("The game, found on the BEAM node")
    now = Cluster.call(cluster, beam, :global, :whereis_name, [name(game)])
    say("it was #{inspect(pid)} on #{node(pid)}, it is #{inspect(now)} on #{node(now)}")
    check(node(now) == beam, "its name leads to the BEAM node")
    {:ok, same} = Cluster.call(cluster, beam, GameEngine, :get_game, [game.id])
    check(same === game, "its state is equal, term by term, round #{same.round}")
  end

  defp fresh_node_takes_its_share(cluster, beam) do
    step("A fresh C node joins; the next #{@games} games spread over both")
    c = Cluster.start_node(cluster, kind: :c, environment: @settings)
    say("C node      #{c}")

    nodes =
      for n <- 1..@games do
        {:ok, pid} = Cluster.call(cluster, beam, GameEngine, :create_game, ["NEXT#{n}", @users])
        node(pid)
      end

    spread = Enum.frequencies(nodes)
    for {node, count} <- spread, do: say("#{count} games on #{node}")
    check(Enum.sort(Map.keys(spread)) == Enum.sort([beam, c]), "both nodes host games")
    here = Cluster.call(cluster, beam, Hosts, :sessions, [c])
    check(length(here) == spread[c], "Hosts.sessions(#{c}) lists the #{spread[c]} of the C node")
  end

  @doc "Starts a process on this node that calls `get_game` without pause and counts."
  @spec start_caller(binary) :: pid
  def start_caller(id),
    do: spawn(fn -> keep_calling(id, %{calls: 0, failed: [], longest_us: 0}) end)

  @doc "Asks a caller for its figures."
  @spec ask(pid) :: map
  def ask(caller), do: request(caller, :figures)

  @doc "Ends a caller; answers its last figures."
  @spec stop_caller(pid) :: map
  def stop_caller(caller), do: request(caller, :stop)

  defp request(caller, what) do
    send(caller, {what, self()})
    receive do: ({^caller, stats} -> stats)
  end

  defp keep_calling(id, stats) do
    receive do
      {:figures, from} ->
        send(from, {self(), stats})
        keep_calling(id, stats)

      {:stop, from} ->
        send(from, {self(), stats})
    after
      0 -> keep_calling(id, call_once(id, stats))
    end
  end

  defp call_once(id, stats) do
    {us, result} = :timer.tc(fn -> GenServer.call({:global, name(%{id: id})}, :get_game) end)
    true = result.id == id
    %{stats | calls: stats.calls + 1, longest_us: max(us, stats.longest_us)}
  catch
    kind, reason -> %{stats | failed: [{kind, reason} | stats.failed], calls: stats.calls + 1}
  end

  defp name(game), do: {GameEngine.SessionRegistry, game.id}

  defp positions(game) do
    Enum.map_join(Enum.sort(game.world.player_characters), ", ", fn {id, character} ->
      %{q: q, r: r} = character.position
      "#{game.players[id].display_name} at (#{q},#{r})"
    end)
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
  defp step(text), do: IO.puts("\n#{text}")
  defp say(text), do: IO.puts("    #{text}")

  defp check(true, text), do: IO.puts("  + #{text}")
  defp check(false, text), do: raise("it was said that #{text}")
end
