defmodule Minotaur.Handoff.SnapshotTest do
  @moduledoc false

  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine.CarriedOut
  alias Minotaur.Handoff.Snapshot

  # OTP 25 writes :ü in Latin-1 (tag 100) unless told otherwise, which a C node refuses.
  test "atoms are sent in UTF-8" do
    game = Map.put(game_fixture(), :mood, :ü)

    session = %{
      id: game.id,
      join_code: nil,
      epoch: 1,
      version: 1,
      game: game,
      carried_out: %CarriedOut{}
    }

    snapshot = Snapshot.encode(session, 0)
    bytes = IO.iodata_to_binary(snapshot.chunks)
    assert bytes =~ <<119, 2, "ü"::utf8>>
    refute bytes =~ <<100, 0, 1, 0xFC>>
    assert {:ok, %{state: ^game}} = Snapshot.decode(bytes, snapshot.digest, snapshot.hash)
  end
end
