defmodule Minotaur.Handoff.Snapshot do
  @moduledoc """
  The state of a session as bytes between two hosts: pure, the same for both ends.

  `digest` (BLAKE2b-512) guards the bytes. `hash` (`:erlang.phash2/2` of the state) guards the
  meaning: the target compares it with the hash of what it would itself export, for two encoders
  need not write the same bytes for one map. A state of an earlier version is upgraded on import and
  has another hash then: only its bytes are guarded.
  """

  alias Minotaur.GameEngine.{CarriedOut, Game, StateImport}

  @chunk_bytes_max 65_536
  @hash_range 4_294_967_296

  @typedoc "What is sent: the chunks in order, and what proves them."
  @type t :: %{chunks: [binary, ...], digest: binary, hash: non_neg_integer}

  @doc "The version of the states that this host writes."
  @spec state_version :: pos_integer
  def state_version, do: Game.version()

  @doc "Encodes a session. `mailbox` is the length of its queue at the freeze."
  @spec encode(map, non_neg_integer) :: t
  def encode(session, mailbox) do
    snapshot = %{
      id: session.id,
      join_code: session.join_code,
      epoch: session.epoch,
      version: session.version,
      state_version: state_version(),
      state: session.game,
      carried_out: CarriedOut.export(session.carried_out, now_ms()),
      mailbox_digest: mailbox
    }

    # Atoms in UTF-8, as on the wire: by default OTP 25 still writes some in Latin-1.
    bytes = :erlang.term_to_binary(snapshot, minor_version: 2)
    %{chunks: chunks(bytes), digest: digest(bytes), hash: hash(session.game)}
  end

  @doc "Decodes and checks what arrived. Answers the snapshot with its game imported."
  @spec decode(binary, binary, non_neg_integer) ::
          {:ok, map} | {:error, :bad_digest | :bad_hash | :bad_snapshot | term}
  def decode(bytes, digest, hash) do
    with :ok <- check(digest(bytes) == digest, :bad_digest),
         {:ok, snapshot} <- to_snapshot(bytes),
         {:ok, game} <- StateImport.import_game(snapshot.state),
         :ok <- check_hash(snapshot, game, hash),
         {:ok, carried_out} <- carried_out(snapshot) do
      {:ok, Map.merge(snapshot, %{state: game, carried_out: carried_out})}
    end
  end

  defp to_snapshot(bytes) do
    case :erlang.binary_to_term(bytes) do
      %{id: _, join_code: _, epoch: epoch, version: version, state_version: _, state: _} =
          snapshot
      when is_integer(epoch) and is_integer(version) ->
        {:ok, snapshot}

      _other ->
        {:error, :bad_snapshot}
    end
  rescue
    ArgumentError -> {:error, :bad_snapshot}
  end

  # A host of an earlier version says nothing of it.
  defp carried_out(snapshot) do
    with :error <- CarriedOut.import_from(Map.get(snapshot, :carried_out, <<>>), now_ms()) do
      {:error, :bad_snapshot}
    end
  end

  defp now_ms, do: System.monotonic_time(:millisecond)

  defp chunks(<<chunk::binary-size(@chunk_bytes_max), rest::binary>>) when rest != <<>> do
    [chunk | chunks(rest)]
  end

  defp chunks(last), do: [last]

  defp digest(bytes), do: :crypto.hash(:blake2b, bytes)
  defp hash(state), do: :erlang.phash2(state, @hash_range)

  defp check_hash(%{state_version: version}, game, hash) do
    check(version != state_version() or hash(game) == hash, :bad_hash)
  end

  defp check(true, _reason), do: :ok
  defp check(false, reason), do: {:error, reason}
end
