defmodule Minotaur.Cluster.RollingDemoTest do
  @moduledoc "What `scripts/demo rolling` shows, with few sessions."

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import ExUnit.CaptureIO

  alias Minotaur.Demo.Rolling

  @sessions 24

  # Three old hosts become three new ones, and the client saw no failed call.
  test "nobody notices the deploy, and plain lines tell how it went" do
    {verdict, text} = run(live: false)

    assert %{sessions: @sessions, moved: @sessions, failed: 0, wrong: 0, lost: 0} = verdict
    assert verdict.calls > 200
    assert Rolling.exit_code(verdict) == 0
    assert text =~ ~r/^old1 \d+, old2 \d+, old3 \d+, new1 \d+; moved/m
    assert text =~ ~r/^new1 \d+, new2 \d+, new3 \d+; moved 24 of 24, in flight 0/m
    refute text =~ "\e["
  end

  # In a terminal one table is drawn over and over.
  test "a terminal shows a table" do
    {verdict, text} = run(live: true)

    assert Rolling.exit_code(verdict) == 0
    assert text =~ ~r/node +kind +version +state +sessions +moved\n/
    assert text =~ ~r/old2 +BEAM +1.0.0 +left, exit 0 +0 +\d+\n/
    assert text =~ ~r/new3 +C +2.0.0 +serving +\d+ +\n/
    assert text =~ "\e[9A\e[2K"
  end

  # Whatever a client or an operator would notice ends it with 1, and is said.
  test "the exit code tells when somebody noticed" do
    fine = %{sessions: 9, moved: 9, calls: 70, failed: 0, wrong: 0, lost: 0, worst_ms: 1.5}
    assert Rolling.exit_code(fine) == 0
    assert List.last(Rolling.summary(fine)) == "Nobody noticed."

    for key <- [:failed, :wrong, :lost] do
      noticed = Map.put(fine, key, 1)
      assert Rolling.exit_code(noticed) == 1
      assert List.last(Rolling.summary(noticed)) == "SOMEBODY NOTICED."
    end
  end

  defp run(options) do
    with_io(fn -> Rolling.run(Map.new([sessions: @sessions] ++ options)) end)
  end
end
