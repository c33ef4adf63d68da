defmodule Minotaur.SessionHost.Starter do
  @moduledoc """
  Starts a session on this node and gives it its names. Runs in a task of the host, for `:global`
  may take its time.
  """

  alias Minotaur.GameEngine.{Names, NewGame, SessionServer, SessionSupervisor, StateImport}
  alias Minotaur.SessionHost

  @doc "Starts a session of a game that other code may have handed in."
  @spec start(term, term) :: {:ok, pid} | {:error, term}
  def start(join_code, game) do
    with :ok <- NewGame.check_join_code(join_code),
         {:ok, game} <- StateImport.import_game(game),
         {:ok, pid} <- start_child({:start, join_code, game}) do
      name_and_open(pid, game.id, join_code)
    end
  end

  @doc "Starts a paused session for an offer."
  @spec start_paused(map) :: {:ok, pid} | {:error, term}
  def start_paused(offer), do: start_child({:arrive, offer})

  defp start_child(argument) do
    DynamicSupervisor.start_child(SessionSupervisor, {SessionServer, argument})
  end

  defp name_and_open(pid, id, join_code) do
    with :ok <- Names.register(id, join_code, pid),
         :ok <- open(pid) do
      {:ok, pid}
    else
      {:error, reason} ->
        DynamicSupervisor.terminate_child(SessionSupervisor, pid)
        {:error, reason}
    end
  end

  defp open(pid) do
    case GenServer.call(pid, {SessionHost, :open}, :infinity) do
      {:error, {:already_registered, owner}} -> {:error, {:already_started, owner}}
      answer -> answer
    end
  catch
    :exit, {reason, _call} -> {:error, reason}
  end
end
