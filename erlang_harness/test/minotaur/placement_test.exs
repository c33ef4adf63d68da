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

  # The same pairs as in tests/unit/session/test_app_version.c.
  test "who leaves goes to hosts of a newer version first, whatever they weigh" do
    for {older, newer} <- [
          {"0.9.0", "0.10.0"},
          {"1.2", "1.2.0"},
          {"", "0"},
          {"1.0.0-rc1", "1.0.0-rc2"},
          {"999999999999999999", "9999999999999999999"}
        ],
        id <- ["a", "b", "c", "d"] do
      hosts = [versioned(:n1@h, older), versioned(:n2@h, newer), host(:n3@h)]
      assert [%{node: :n2@h} | rest] = Placement.rank_leaving(id, hosts, 4, older)
      assert rest == Placement.rank(id, [hd(hosts), List.last(hosts)], 4)
      assert Placement.rank_leaving(id, hosts, 4, newer) == Placement.rank(id, hosts, 4)
    end

    for {a, b} <- [{"1.2.3", "v1-2-3"}, {"007", "7"}, {"abc", ""}] do
      hosts = [versioned(:n1@h, a), versioned(:n2@h, b)]
      assert Placement.rank_leaving("a", hosts, 4, b) == Placement.rank("a", hosts, 4)
      assert Placement.rank_leaving("a", hosts, 4, a) == Placement.rank("a", hosts, 4)
    end
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

  # A rebalance: where the session is counts as taking it, others only when they do.
  test "a better host comes before this one and takes sessions" do
    hosts = for n <- 1..3, do: host(:"n#{n}@h")
    here = host(node(), draining: true)

    for id <- @ids do
      best = Enum.max_by([here | hosts], &{Placement.weight(id, &1.node), &1.node})
      assert Placement.better(id, hosts, 4, "1") == if(best == here, do: nil, else: best)
      assert Placement.better(id, [host(:full@h, sessions: 10, capacity: 10)], 4, "1") == nil
    end
  end

  # A rebalance while a deploy is on takes nothing back to where the deploy has been.
  test "no host of an older version is better, whatever it weighs" do
    for id <- @ids do
      hosts = [versioned(:n1@h, "1.9"), versioned(:n2@h, "1.10"), host(:n3@h)]
      [_old | others] = hosts
      assert Placement.better(id, hosts, 4, "1.10") == Placement.better(id, others, 4, "1.10")
      assert Placement.better(id, hosts, 4, "1.9") == Placement.better(id, hosts, 4, "")
    end

    assert Enum.any?(@ids, &Placement.better(&1, [versioned(:n1@h, "1.9")], 4, "1.9"))
  end

  defp versioned(node, version), do: node |> host() |> Map.put(:app_version, version)

  defp host(node, changes \\ []) do
    Map.merge(
      %{node: node, draining: false, sessions: 0, capacity: 10, state_versions: [1, 2, 3, 4]},
      Map.new(changes)
    )
  end
end
