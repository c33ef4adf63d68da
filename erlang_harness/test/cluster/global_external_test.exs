defmodule Minotaur.Cluster.GlobalExternalTest do
  @moduledoc """
  Names of a C node's sessions in `:global`, seen from stock BEAM nodes: of a visible node, a member
  of `:global`, and of a hidden one, which registers them through one of the BEAM nodes. Whole again
  after lost links and lost registrars, and nobody waits for the C node.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{SessionJoinCodeRegistry, SessionRegistry}

  @repair_ms 20_000

  for hidden <- [false, true] do
    describe "hidden #{hidden}:" do
      @describetag hidden: hidden
      setup :start_two_and_one

      # `:global.sync` and locks on all nodes are what a mute visible node would hang.
      test "nobody waits for a C node", %{cluster: cluster, beams: beams, c: c} do
        for beam <- beams do
          assert c in Cluster.call(cluster, beam, Node, :list, [:connected])
          assert :ok = Cluster.call(cluster, beam, :global, :sync)
          lock = {:resource, self()}
          assert Cluster.call(cluster, beam, :global, :set_lock, [lock])
          assert Cluster.call(cluster, beam, :global, :del_lock, [lock])

          assert :yes =
                   Cluster.call(cluster, beam, :global, :register_name, [
                     beam,
                     init_of(cluster, beam)
                   ])
        end

        wait_until(fn -> assert locks(cluster, beams) == [] end)
      end

      # Found from each node, and gone with the process.
      test "a session's names live and die with it", %{cluster: cluster, beams: beams, c: c} do
        {id, pid} = create(cluster, c, "code")
        await_names(cluster, beams, names(id, "code"), pid)
        Cluster.call(cluster, hd(beams), Process, :exit, [pid, :kill])
        await_names(cluster, beams, names(id, "code"), :undefined)
      end

      # The names come from a time without BEAM nodes.
      test "names taken alone are registered when a BEAM comes", ctx do
        %{cluster: cluster, beams: beams, c: c} = ctx
        for beam <- beams, do: Cluster.stop_node(cluster, beam)
        left = fn -> Cluster.call(cluster, c, Node, :list, [:connected]) end
        wait_until(fn -> for beam <- beams, do: refute(beam in left.()) end)
        {id, pid} = create(cluster, c, "alone")
        beam = Cluster.start_node(cluster, kind: :beam, applications: [])
        Cluster.connect(cluster, beam, c)
        await_names(cluster, [beam], names(id, "alone"), pid)
      end

      # A BEAM node that loses its link to the C node forgets its names; the others may keep them.
      test "a node that lost its link gets the names back", ctx do
        %{cluster: cluster, beams: [one, two] = beams, c: c} = ctx
        sessions = for n <- 1..20, do: {n, create(cluster, c, "code#{n}")}

        for lost <- [one, two] do
          probe = Probe.start(cluster, lost)
          true = Probe.run!(cluster, probe, Node, :monitor, [c, true])
          Cluster.call(cluster, lost, Node, :disconnect, [c])
          # The C node may be back before anybody could look.
          Probe.await(cluster, probe, {:nodedown, c})
          wait_until(fn -> assert Cluster.call(cluster, lost, Node, :connect, [c]) end)

          for {n, {id, pid}} <- sessions do
            await_names(cluster, beams, names(id, "code#{n}"), pid)
          end
        end

        wait_until(fn -> assert locks(cluster, beams) == [] end)
      end

      # :global links a C node's process; the end of that BEAM must not end the session.
      for graceful <- [true, false] do
        test "sessions and names outlive any BEAM node, graceful: #{graceful}", ctx do
          %{cluster: cluster, beams: [one, two], c: c} = ctx
          # The registrar is the greatest of the BEAM nodes' names.
          {registrar, other} = if one > two, do: {one, two}, else: {two, one}
          {id, pid} = create(cluster, c, "before")
          await_names(cluster, [one, two], names(id, "before"), pid)
          Cluster.stop_node(cluster, registrar, graceful_shutdown: unquote(graceful))
          wait_until(fn -> refute registrar in Cluster.call(cluster, c, Node, :list) end)
          {id2, pid2} = create(cluster, c, "after")
          await_names(cluster, [other], names(id2, "after"), pid2)
          await_names(cluster, [other], names(id, "before"), pid)
          assert Cluster.call(cluster, c, Process, :alive?, [pid])
        end
      end

      # Names end with their node, in whatever way it ends.
      test "names end with the C node", %{cluster: cluster, beams: beams, c: c} do
        {id, pid} = create(cluster, c, "code")
        await_names(cluster, beams, names(id, "code"), pid)
        Cluster.stop_node(cluster, c, graceful_shutdown: false)
        await_names(cluster, beams, names(id, "code"), :undefined)
        wait_until(fn -> assert locks(cluster, beams) == [] end)
      end

      # Two processes with one name: the second is told who has it.
      test "a taken name is not taken twice", %{cluster: cluster, beams: [beam | _], c: c} do
        other = init_of(cluster, beam)
        name = {SessionJoinCodeRegistry, "taken"}
        assert :yes = Cluster.call(cluster, beam, :global, :register_name, [name, other])
        users = [%{id: 1, display_name: "A"}]
        assert {:error, _} = Cluster.call(cluster, c, GameEngine, :create_game, ["taken", users])
        assert Cluster.call(cluster, beam, :global, :whereis_name, [name]) == other
      end

      # As :global asks while partitions join, with the method that sessions' names go along with.
      test "the C node is asked who keeps a session's name", ctx do
        %{cluster: cluster, beams: [beam | _], c: c} = ctx
        {id, pid} = create(cluster, c, "code")
        name = {SessionRegistry, id}
        probe = Probe.start(cluster, beam)
        arguments = [&GameEngine.Names.resolve/3, name, probe, pid]
        rpc = [c, :global, :resolve_it, arguments]
        kept = Enum.min_by([pid, probe], &node/1)
        assert Cluster.call(cluster, beam, :rpc, :call, rpc) == kept
        Probe.await(cluster, probe, {:global_name_conflict, name, pid})
      end

      # The C node answers whereis for its own names and for those of others.
      test "the C node is asked for names", %{cluster: cluster, beams: [beam | _], c: c} do
        {id, pid} = create(cluster, c, "code")
        other = init_of(cluster, beam)
        assert :yes = Cluster.call(cluster, beam, :global, :register_name, [:other, other])
        ask = fn name -> Cluster.call(cluster, c, :global, :whereis_name, [name]) end
        assert ask.({SessionRegistry, id}) == pid
        assert ask.(:other) == other
        assert ask.(:nobody) == :undefined
      end

      # Without names it is of no use to anybody, whoever registered them.
      test "a C node whose global_name_server is killed leaves", ctx do
        %{cluster: cluster, beams: [beam | _], c: c} = ctx
        server = Cluster.call(cluster, c, :erlang, :whereis, [:global_name_server])
        Cluster.call(cluster, beam, Process, :exit, [server, :kill])
        assert Cluster.await_stop(cluster, c) == 0
        assert Cluster.logs(cluster, c) =~ "names.closed"
      end
    end
  end

  defp start_two_and_one(ctx) do
    cluster = start_supervised!({Cluster.Manager, ctx})
    # Plain BEAM nodes: no hosts, only OTP.
    beams = for _ <- 1..2, do: Cluster.start_node(cluster, kind: :beam, applications: [])
    # What the BEAM nodes register is known to both only when they have found together.
    for beam <- beams, do: :ok = Cluster.call(cluster, beam, :global, :sync)
    c = start_c(cluster, ctx.hidden)
    for beam <- beams, do: Cluster.connect(cluster, beam, c)
    [cluster: cluster, c: c, beams: beams]
  end

  defp start_c(cluster, hidden) do
    environment = [minotaur: [round_seconds: 0]]
    Cluster.start_node(cluster, kind: :c, hidden: hidden, environment: environment)
  end

  defp create(cluster, c, code) do
    users = [%{id: 1, display_name: "A"}, %{id: 2, display_name: "B"}]
    {:ok, pid} = Cluster.call(cluster, c, GameEngine, :create_game, [code, users])
    {:ok, %{id: id}} = Cluster.call(cluster, c, GameEngine, :get_game_by_join_code, [code])
    {id, pid}
  end

  defp names(id, code), do: [{SessionRegistry, id}, {SessionJoinCodeRegistry, code}]

  defp await_names(cluster, beams, names, pid) do
    for beam <- beams, name <- names do
      wait_until(
        fn -> assert Cluster.call(cluster, beam, :global, :whereis_name, [name]) == pid end,
        @repair_ms
      )
    end
  end

  # A process of the node that lives as long as the node.
  defp init_of(cluster, beam), do: Cluster.call(cluster, beam, Process, :whereis, [:init])

  defp locks(cluster, beams) do
    Enum.flat_map(beams, &Cluster.call(cluster, &1, :ets, :tab2list, [:global_locks]))
  end
end
