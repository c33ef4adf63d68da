defmodule Minotaur.GameEngine.CarriedOutTest do
  @moduledoc "The memory of updates: what is known, what is forgotten, and how it travels."

  use ExUnit.Case, async: true

  alias Minotaur.GameEngine.CarriedOut

  # A call is known by its tag, any other is not.
  test "knows what was carried out" do
    [one, other] = [make_ref(), make_ref()]
    done = CarriedOut.add(%CarriedOut{}, one, 100)
    assert CarriedOut.judge(done, one, 10, 110) == :done
    assert CarriedOut.judge(done, other, 10, 110) == :not_done
  end

  # At least the last 256 are known; an older call may have been carried out, a younger one was not.
  test "what may be forgotten is in doubt" do
    tags = for n <- 1..600, do: {make_ref(), n}
    done = Enum.reduce(tags, %CarriedOut{}, fn {tag, n}, done -> CarriedOut.add(done, tag, n) end)
    for {tag, n} <- tags, n > 344, do: assert(CarriedOut.judge(done, tag, 600 - n, 600) == :done)
    {first, 1} = hd(tags)
    assert CarriedOut.judge(done, first, 599, 600) == :in_doubt
    assert CarriedOut.judge(done, make_ref(), 599, 600) == :in_doubt
    assert CarriedOut.judge(done, make_ref(), 600 - done.forgotten_ms - 1, 600) == :not_done
  end

  # What travels is what was known, with its ages, whatever the other clock says.
  test "travels" do
    tags = for n <- 1..300, do: {make_ref(), n}
    done = Enum.reduce(tags, %CarriedOut{}, fn {tag, n}, done -> CarriedOut.add(done, tag, n) end)
    bytes = done |> CarriedOut.repeated() |> CarriedOut.export(300)
    assert byte_size(bytes) == 5 + 256 * 20
    {:ok, read} = CarriedOut.import_from(bytes, -5_000)
    assert read.repeats
    {last, 300} = List.last(tags)
    {first, 1} = hd(tags)
    assert CarriedOut.judge(read, last, 0, -5_000) == :done
    assert CarriedOut.judge(read, first, 299, -5_000) == :in_doubt
    assert CarriedOut.judge(read, make_ref(), 255, -5_000) == :not_done
    assert CarriedOut.import_from(CarriedOut.export(%CarriedOut{}, 0), 0) == {:ok, %CarriedOut{}}
    looks_up = CarriedOut.repeated(%CarriedOut{})
    assert CarriedOut.import_from(CarriedOut.export(looks_up, 0), 0) == {:ok, looks_up}
  end

  # The bytes are those that the C twin writes: its test has the same ones.
  test "writes the same bytes as the twin" do
    tag = :erlang.binary_to_term(<<131, 90, 3::16, 119, 3, "a@b", 5::32, 1::32, 7::32, 9::32>>)
    bytes = %CarriedOut{} |> CarriedOut.add(tag, 100) |> CarriedOut.export(110)

    assert Base.encode16(bytes, case: :lower) ==
             "00ffffffff36874037b9791925ea19f48e727ba8820000000a"
  end

  # Bytes that nobody wrote are refused.
  test "refuses what is none" do
    for bad <- [<<0>>, <<0::48>>, <<2, 0::32>>, :none, <<0::40, 0::size(257 * 160)>>] do
      assert CarriedOut.import_from(bad, 0) == :error
    end
  end
end
