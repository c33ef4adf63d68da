defmodule Minotaur.Conformance.Driver do
  @moduledoc """
  How the suite reaches an implementation: a few functions. A session is whatever `continue` and
  `create` return; functions that may change it return it, so that an implementation need not be a
  process.

  * `continue.(game)` and `create.(users)` → `{:ok, session}` or `{:error, reason}`
  * `call.(session, request)` → `{answer, session}`
  * `send.(session, :info | :cast, message)` → `session`; a later call sees what it did
  * `stop.(session)` → the reason with which the session ended after `:end_session`
  * `status.(game, user_id)` → what `get_player_status` answers
  """

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{NewGame, Rules, StateImport}

  @enforce_keys [:name, :continue, :create, :call, :send, :stop, :status]
  defstruct @enforce_keys

  @type session :: term
  @type t :: %__MODULE__{
          name: term,
          continue: (term -> {:ok, session} | {:error, term}),
          create: (term -> {:ok, session} | {:error, term}),
          call: (session, term -> {term, session}),
          send: (session, :info | :cast, term -> session),
          stop: (session -> term),
          status: (term, term -> term)
        }

  @stop_timeout_ms 5_000

  @doc """
  The sessions of a node, BEAM or C. To be used on a node that is connected to it.

  Games are started by `:erpc` of `Minotaur.GameEngine` there, and reached by `GenServer` calls from
  here. With several hosts in one cluster, placement may put a session elsewhere: what is then
  compared is another host.
  """
  @spec node(node) :: t
  def node(node) do
    %__MODULE__{
      name: node,
      continue: &:erpc.call(node, GameEngine, :continue_game, [&1]),
      create: &:erpc.call(node, GameEngine, :create_game, [nil, &1]),
      call: fn pid, request -> {GenServer.call(pid, request), pid} end,
      send: &send_to_process/3,
      stop: &stop_process/1,
      status: &:erpc.call(node, GameEngine, :get_player_status, [&1, &2])
    }
  end

  @doc """
  The rules of this node without any process: a session is the game itself.

  Options, to try wrong rules: `:import` (as `StateImport.import_game/1`), `:create` (as
  `NewGame.create/3`), `:handle_call` (as `Rules.handle_call/4`), `:round_seconds` (0).
  """
  @spec pure(keyword) :: t
  def pure(options \\ []) do
    import_game = Keyword.get(options, :import, &StateImport.import_game/1)
    create = Keyword.get(options, :create, &NewGame.create/3)
    handle_call = Keyword.get(options, :handle_call, &Rules.handle_call/4)
    seconds = Keyword.get(options, :round_seconds, 0)

    %__MODULE__{
      name: Keyword.get(options, :name, :pure),
      continue: import_game,
      create: &create.(&1, DateTime.utc_now(), seconds),
      call: &handle_call.(&2, &1, DateTime.utc_now(), seconds),
      send: &take_message(&1, &2, &3, seconds),
      stop: fn game ->
        :end_session = Rules.handle_info(:end_session, game, DateTime.utc_now(), seconds)
        :normal
      end,
      status: &Rules.player_status/2
    }
  end

  defp send_to_process(pid, kind, message) do
    if kind == :info, do: send(pid, message), else: GenServer.cast(pid, message)
    pid
  end

  defp stop_process(pid) do
    ref = Process.monitor(pid)
    send(pid, :end_session)

    receive do
      {:DOWN, ^ref, :process, ^pid, reason} -> reason
    after
      @stop_timeout_ms -> :still_alive
    end
  end

  defp take_message(game, :cast, _message, _seconds), do: game

  defp take_message(game, :info, message, seconds) do
    case Rules.handle_info(message, game, DateTime.utc_now(), seconds) do
      {:ok, game} -> game
      :unknown -> game
    end
  end
end
