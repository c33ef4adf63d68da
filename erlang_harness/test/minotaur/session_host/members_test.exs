defmodule Minotaur.SessionHost.MembersTest do
  @moduledoc "Who is known, from hellos, good-byes and ends."

  use ExUnit.Case, async: true

  alias Minotaur.SessionHost.Members

  # A hello is answered once per life of a host; later ones only tell what has changed.
  test "a host is new once" do
    pid = spawn_host()
    assert {:new, members} = Members.hello(%Members{}, 1, info(pid))
    assert {:known, members} = Members.hello(members, 1, info(pid, draining: true, sessions: 7))
    assert [%{draining: true, sessions: 7}] = Members.infos(members)
  end

  # A restarted host on the same node takes the place of the earlier one.
  test "a new process on a known node is a new life" do
    [first, second] = [spawn_host(), spawn_host()]
    {:new, members} = Members.hello(%Members{}, 1, info(first))
    assert {:new, members} = Members.hello(members, 1, info(second, incarnation: 2))
    assert [%{pid: ^second}] = Members.infos(members)
    assert Process.info(self(), :monitors) == {:monitors, [process: second]}
  end

  # A good-bye that was under way while the host came back is about the earlier life.
  test "a good-bye ends the life that it names" do
    {:new, members} = Members.hello(%Members{}, 1, info(spawn_host(), incarnation: 2))
    assert Members.nodes(Members.bye(members, node(), 1)) == [node()]
    assert Members.nodes(Members.bye(members, node(), 2)) == []
    assert Members.nodes(Members.bye(members, :other@node, 2)) == [node()]
  end

  # The end of the process ends the membership at once.
  test "a host that ends is forgotten" do
    pid = spawn_host()
    {:new, members} = Members.hello(%Members{}, 1, info(pid))
    Process.exit(pid, :kill)
    assert_receive {:DOWN, monitor, _, ^pid, :killed}
    assert {:ok, members} = Members.down(members, monitor)
    assert Members.infos(members) == []
    assert Members.down(members, make_ref()) == :unknown
  end

  # What does not look like an info, or comes from another node than it says, is not believed.
  test "a malformed hello changes nothing" do
    good = info(spawn_host())

    for bad <- [:what, %{}, Map.delete(good, :sessions), %{good | node: :x@y}, %{good | pid: 1}] do
      assert Members.hello(%Members{}, 1, bad) == {:error, :malformed}
    end

    assert Members.hello(%Members{}, 2, good) == {:error, :unsupported_protocol}
  end

  defp spawn_host, do: spawn(fn -> receive(do: (:never -> :ok)) end)

  defp info(pid, changes \\ []) do
    Map.merge(
      %{
        node: node(),
        pid: pid,
        incarnation: 1,
        draining: false,
        sessions: 0,
        capacity: 10,
        state_versions: [4]
      },
      Map.new(changes)
    )
  end
end
