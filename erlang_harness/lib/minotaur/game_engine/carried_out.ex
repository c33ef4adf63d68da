defmodule Minotaur.GameEngine.CarriedOut do
  @moduledoc """
  Which updates a session has carried out, so that one that is asked for again is not done twice.
  Pure; the twin of `cnode/session/carried_out.h`.

  A caller whose call broke off (the node was lost, the process moved) cannot know whether it was
  carried out, so it asks once more with the tag of the first call. A session remembers the tags of
  its last 256 updates at least, as the first 16 bytes of a BLAKE2b-512 each, and hands them on when
  it moves. A tag that may have been forgotten is `:in_doubt`, never a guess.
  """

  @max 256
  @never 0xFFFFFFFF

  defstruct entries: [], count: 0, forgotten_ms: nil, repeats: false

  @typedoc "Hashes of tags and when they were noted, newest first; when the last forgotten one was."
  @type t :: %__MODULE__{
          entries: [{<<_::128>>, integer}],
          count: non_neg_integer,
          forgotten_ms: integer | nil,
          repeats: boolean
        }

  @doc "Notes that the call of this tag was carried out."
  @spec add(t, reference, integer) :: t
  def add(done, tag, now_ms) do
    forget(%{done | entries: [{hash(tag), now_ms} | done.entries], count: done.count + 1})
  end

  @doc "What became of the call of this tag, made `age_ms` ago."
  @spec judge(t, reference, non_neg_integer, integer) :: :done | :not_done | :in_doubt
  def judge(done, tag, age_ms, now_ms) do
    cond do
      member?(done, tag) -> :done
      done.forgotten_ms && done.forgotten_ms >= now_ms - age_ms -> :in_doubt
      true -> :not_done
    end
  end

  @doc "Whether the call of this tag is remembered."
  @spec member?(t, reference) :: boolean
  def member?(done, tag), do: List.keymember?(done.entries, hash(tag), 0)

  @doc "How many calls that `others` remembers `done` does not."
  @spec unknown(t, t) :: non_neg_integer
  def unknown(done, others) do
    Enum.count(others.entries, fn {hash, _ms} -> not List.keymember?(done.entries, hash, 0) end)
  end

  @doc "From now on the first of a call that was repeated may still come: calls are looked up."
  @spec repeated(t) :: t
  def repeated(done), do: %{done | repeats: true}

  @doc "As one binary, for a snapshot."
  @spec export(t, integer) :: binary
  def export(%{entries: [], forgotten_ms: nil, repeats: false}, _now_ms), do: <<>>

  def export(done, now_ms) do
    done = trim(done, @max)
    forgotten = if done.forgotten_ms, do: age(done.forgotten_ms, now_ms), else: @never
    repeats = if done.repeats, do: 1, else: 0

    entries =
      for {hash, ms} <- done.entries, into: <<>>, do: <<hash::binary, age(ms, now_ms)::32>>

    <<repeats, forgotten::32, entries::binary>>
  end

  @doc "Reads what `export/2` wrote; `:error` when it is something else."
  @spec import_from(term, integer) :: {:ok, t} | :error
  def import_from(<<>>, _now_ms), do: {:ok, %__MODULE__{}}

  def import_from(<<repeats, forgotten::32, entries::binary>>, now_ms)
      when repeats in [0, 1] and rem(byte_size(entries), 20) == 0 and
             byte_size(entries) <= 20 * @max do
    {:ok,
     %__MODULE__{
       entries: for(<<hash::binary-16, age::32 <- entries>>, do: {hash, now_ms - age}),
       count: div(byte_size(entries), 20),
       forgotten_ms: if(forgotten != @never, do: now_ms - forgotten),
       repeats: repeats == 1
     }}
  end

  def import_from(_other, _now_ms), do: :error

  # Now and then, not with each update.
  defp forget(%{count: count} = done) when count < @max + 64, do: done
  defp forget(done), do: trim(done, @max)

  defp trim(%{count: count} = done, max) when count <= max, do: done

  defp trim(done, max) do
    {entries, [{_hash, forgotten_ms} | _older]} = Enum.split(done.entries, max)
    %{done | entries: entries, count: max, forgotten_ms: forgotten_ms}
  end

  defp age(ms, now_ms), do: min(max(now_ms - ms, 0), @never - 1)

  defp hash(tag) do
    <<131, bytes::binary>> = :erlang.term_to_binary(tag, minor_version: 2)
    binary_part(:crypto.hash(:blake2b, bytes), 0, 16)
  end
end
