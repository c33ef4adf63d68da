defmodule Minotaur.PlacementTest do
  @moduledoc "Where sessions go: the same place from every host's point of view, and evenly."

  use ExUnit.Case, async: true

  alias Minotaur.Placement

  @ids for n <- 1..300, do: "session-#{n}"

  # Two hosts that know the same hosts in another order name the same place.
  test "the ranking does not depend on the order of the hosts" do
    hosts = for n <- 1..5, do: host(:"n#{n}@h")

    for id <- @ids do
      assert Placement.rank(id, hosts, 4) == Placement.rank(id, Enum.reverse(hosts), 4)
    end
  end

  # The number that the C implementation computes as well.
  test "the weight of a node is the hash of session and node" do
    assert Placement.weight("a", :n1@h) == :erlang.phash2({"a", :n1@h}, 4_294_967_296)
    [first, second] = Placement.rank("a", [host(:n1@h), host(:n2@h)], 4)
    assert Placement.weight("a", first.node) >= Placement.weight("a", second.node)
  end

  # A third host takes its share from both others, and no session moves between those.
  test "a host that joins takes only what it wins" do
    two = [host(:n1@h), host(:n2@h)]
    three = [host(:n3@h) | two]

    for id <- @ids, hd(Placement.rank(id, three, 4)).node != :n3@h do
      assert hd(Placement.rank(id, three, 4)) == hd(Placement.rank(id, two, 4))
    end

    shares = @ids |> Enum.map(&hd(Placement.rank(&1, three, 4)).node) |> Enum.frequencies()
    assert Enum.all?(Map.values(shares), &(&1 in 60..140))
  end

  # Who leaves, is full, or cannot read the state is not asked.
  test "hosts that cannot carry the session are left out" do
    hosts = [
      host(:draining@h, draining: true),
      host(:full@h, sessions: 10, capacity: 10),
      host(:old@h, state_versions: [1, 2, 3]),
      host(:good@h)
    ]

    assert [%{node: :good@h}] = Placement.rank("a", hosts, 4)
  end

  defp host(node, changes \\ []) do
    Map.merge(
      %{node: node, draining: false, sessions: 0, capacity: 10, state_versions: [1, 2, 3, 4]},
      Map.new(changes)
    )
  end
end
