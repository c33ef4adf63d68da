defmodule Minotaur.GameEngine.ShapeTest do
  use ExUnit.Case, async: true

  alias Minotaur.GameEngine.{Coord, Shape, Vector}

  @coord {:struct, Coord, q: :integer, r: :integer}

  test "a path leads through fields, keys and indices to what is wrong" do
    shape = {:map, lists: {:map_of, :integer, {:list, @coord}}}
    term = %{lists: %{7 => [%Coord{q: 0, r: 0}, %Coord{q: 0, r: nil}]}}

    assert Shape.check(term, shape) == {:error, [:lists, 7, 1, :r], {:expected, :integer}}
  end

  test "fields are checked in the declared order, and may be missing" do
    assert Shape.check(%Coord{}, @coord) == {:error, [:q], {:expected, :integer}}
    assert Shape.check(%{__struct__: Coord, q: 1}, @coord) == {:error, [:r], :missing}
    assert Shape.check(%{q: 1, r: 1}, @coord) == {:error, [], {:expected, {:struct, Coord}}}
  end

  test "unknown fields are no error" do
    assert Shape.check(Map.put(%Coord{q: 1, r: 1}, :s, :any), @coord) == :ok
  end

  test "one of several structs is checked by its own fields" do
    shape = {:either, :pair, [@coord, {:struct, Vector, r: :binary}]}

    assert Shape.check(%Vector{r: "r"}, shape) == :ok
    assert Shape.check(%Vector{r: 1}, shape) == {:error, [:r], {:expected, :binary}}
    assert Shape.check(%{r: "r"}, shape) == {:error, [], {:expected, {:struct, :pair}}}
  end

  test "lists are proper" do
    for term <- [[1 | 2], 1, %{}, nil] do
      assert Shape.check(term, {:list, :any}) == {:error, [], {:expected, :list}}
    end

    assert Shape.check([], {:list, :any}) == :ok
  end

  test "integers are of 64 bits" do
    for good <- [0, 0x7FFFFFFFFFFFFFFF, -0x8000000000000000] do
      assert Shape.check(good, :integer) == :ok
    end

    for bad <- [0x8000000000000000, -0x8000000000000001, 1.0, nil] do
      assert Shape.check(bad, :integer) == {:error, [], {:expected, :integer}}
    end
  end

  test "positive and non-negative integers differ in 0" do
    assert Shape.check(0, :non_neg_integer) == :ok
    assert Shape.check(0, :positive_integer) == {:error, [], {:expected, :positive_integer}}
    assert Shape.check(-1, :non_neg_integer) == {:error, [], {:expected, :non_neg_integer}}
  end

  test "one of some values is compared exactly" do
    assert Shape.check(1, {:one_of, [1, 2]}) == :ok
    assert Shape.check(1.0, {:one_of, [1, 2]}) == {:error, [], {:expected, {:one_of, [1, 2]}}}
  end
end
