defmodule Minotaur.Handoff.Mover do
  @moduledoc """
  Finds a new host for one session and has it handed over: each host of the ranking is offered the
  session once. Runs in a task of the leaving host, one per session.

  Bandwidth is taken before the first offer, and again after each attempt that failed, for its state
  was sent: not for offers that are refused. So does a C node (`cnode/session/move.c`).
  """

  require Logger

  alias Minotaur.Handoff.Failpoint
  alias Minotaur.{Placement, SessionHost, Settings}
  alias Minotaur.SessionHost.Bandwidth

  @step_ms 5_000

  @doc """
  Moves the session `pid` to the first of `hosts` that takes it: `{:moved, bytes, stall_ms}`, its
  size and for how long it stood still. `:ended` when it ended by itself.
  """
  @spec move(pid, [map]) :: {:moved, pos_integer, non_neg_integer} | :ended | {:error, term}
  def move(pid, hosts) do
    with {:ok, session} <- ask(pid, :describe, @step_ms) do
      Bandwidth.await(session.bytes)

      session.id
      |> Placement.rank_leaving(hosts, session.state_version, Settings.app_version())
      |> Enum.reduce_while({:error, :no_host}, &try_host(&1, &2, pid, session))
    end
  end

  @doc "Moves it to the host of this info alone, whatever it said of itself."
  @spec move_to(pid, map) :: {:moved, pos_integer, non_neg_integer} | :ended | {:error, term}
  def move_to(pid, host) do
    with {:ok, session} <- ask(pid, :describe, @step_ms),
         :ok <- Bandwidth.await(session.bytes),
         {:error, reason} <- offer_and_hand_off(host, pid, session) do
      log_failure(session, host, reason)
      {:error, reason}
    end
  end

  @doc """
  Moves it to that of `hosts` that its placement names, if it takes sessions and is not this one,
  which counts as taking its own; else `:stays`. Hosts of an older version do not count.
  """
  @spec rebalance(pid, [map]) ::
          {:moved, pos_integer, non_neg_integer} | :stays | :ended | {:error, term}
  def rebalance(pid, hosts) do
    with {:ok, session} <- ask(pid, :describe, @step_ms) do
      case Placement.better(session.id, hosts, session.state_version, Settings.app_version()) do
        nil -> :stays
        host -> move_to(pid, host)
      end
    end
  end

  defp try_host(host, _last, pid, session) do
    case offer_and_hand_off(host, pid, session) do
      {:error, reason} ->
        log_failure(session, host, reason)
        {:cont, {:error, reason}}

      over ->
        {:halt, over}
    end
  end

  defp offer_and_hand_off(host, pid, session) do
    transfer = make_ref()

    with {:ok, new} <- offer(host, transfer, pid, session) do
      Failpoint.pass?(:out_accept) || Process.sleep(:infinity)
      frozen_ms = now_ms()

      case ask(pid, {:hand_off, transfer, new}, :infinity) do
        :moved -> {:moved, session.bytes, now_ms() - frozen_ms}
        {:failed, reason} -> with :ok <- Bandwidth.await(session.bytes), do: {:error, reason}
        answer -> answer
      end
    end
  end

  defp now_ms, do: System.monotonic_time(:millisecond)

  defp offer(host, transfer, pid, session) do
    offer = Map.merge(session, %{protocol: 1, transfer: transfer, source: pid})

    case GenServer.call({SessionHost, host.node}, {:offer, offer}, @step_ms) do
      {:accept, new} when is_pid(new) -> {:ok, new}
      {:refuse, reason} -> {:error, {:refused, reason}}
      other -> {:error, {:unexpected, other}}
    end
  catch
    :exit, _reason -> {:error, :unreachable}
  end

  defp ask(pid, request, timeout) do
    GenServer.call(pid, {SessionHost, request}, timeout)
  catch
    :exit, {reason, _call} when reason in [:normal, :noproc] -> :ended
    :exit, {reason, _call} -> {:error, reason}
  end

  defp log_failure(session, host, reason) do
    Logger.warning(
      "session #{inspect(session.id)}: did not move to #{host.node}: #{inspect(reason)}"
    )
  end
end
