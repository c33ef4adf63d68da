defmodule Minotaur.GameEngine.SessionCall do
  @moduledoc """
  A call to a session that may move while it lasts.

      find ──► call, 5 s ──► answer
       ▲          │ gone: where it went, or found again; up to 5 times in all
       └──────────┘

  A session that says where it went is called there. When its node was lost, it mostly runs
  elsewhere already, and is looked for at once; or another host is about to take it over: each
  further look waits a moment, and finding nobody counts as one of the five. A timeout is not
  repeated: it exits, as `GenServer.call/3` does.

  A call that broke off may have been carried out. So an update is not simply called again but
  asked for as `{:repeat, tag, age_ms, request}`: the session knows by the tag of the first call
  whether it has done it (`Minotaur.GameEngine.CarriedOut`). When even the session cannot know, the
  caller learns just that: `{:error, :in_doubt}`.
  """

  @attempts 5
  @pause_ms 100
  @call_ms 5_000

  @doc """
  Calls the session that `find` finds: a pid, nil for nobody, or `:lost` for nobody yet, since a
  node was lost just now.
  """
  @spec run(function, term) :: {:ok, struct} | term
  def run(find, request) do
    call = %{find: find, request: request, left: @attempts, tag: nil, began_ms: now_ms()}
    attempt(find.(), call)
  end

  defp attempt(nil, _call), do: {:error, :game_not_alive}
  defp attempt(:lost, call), do: look_again(call)
  defp attempt(_pid, %{left: 0}), do: {:error, :game_not_alive}

  defp attempt(pid, call) do
    call = %{call | left: call.left - 1}

    case ask(pid, message(call)) do
      {:ok, answer} -> answer(answer, call)
      {:down, tag, reason} -> gone(reason, pid, in_doubt(call, tag, reason))
      :timeout -> exit_as_call(:timeout, pid, call)
    end
  end

  # It was not there: what was sent to it is lost for sure.
  defp in_doubt(call, _tag, :noproc), do: call
  defp in_doubt(%{tag: nil} = call, tag, _reason), do: %{call | tag: tag}
  defp in_doubt(call, _tag, _reason), do: call

  defp gone({:shutdown, {:moved, new}}, _pid, call), do: attempt(new, call)
  defp gone({:shutdown, {:session_conflict, new}}, _pid, call), do: attempt(new, call)
  defp gone(:noconnection, pid, call), do: look_at_once(pid, call)
  defp gone(:noproc, _pid, call), do: attempt(call.find.(), call)
  defp gone(:shutdown, _pid, call), do: attempt(call.find.(), call)
  defp gone({:shutdown, _why}, _pid, call), do: attempt(call.find.(), call)
  defp gone(:normal, _pid, call), do: look_once_more(call)
  defp gone(reason, pid, call), do: exit_as_call(reason, pid, call)

  # A paused copy whose source goes on ends so, and the names are on their way back.
  defp look_once_more(call) do
    Process.sleep(@pause_ms)
    attempt(call.find.(), call)
  end

  # Who is still said to be on the node that is lost is not.
  defp look_at_once(lost, call) do
    case call.find.() do
      pid when is_pid(pid) and node(pid) != node(lost) -> attempt(pid, call)
      _nobody_yet -> look_again(call)
    end
  end

  # The node is lost: finding nobody yet counts as one of the attempts.
  defp look_again(%{left: 0}), do: {:error, :game_not_alive}

  defp look_again(call) do
    Process.sleep(@pause_ms)

    case call.find.() do
      pid when is_pid(pid) -> attempt(pid, call)
      _nobody_yet -> look_again(%{call | left: call.left - 1})
    end
  end

  # Reading twice does no harm.
  defp message(%{request: :get_game}), do: :get_game
  defp message(%{tag: nil, request: request}), do: request
  defp message(call), do: {:repeat, call.tag, now_ms() - call.began_ms, call.request}

  defp answer(answer, %{tag: tag, request: request}) when tag == nil or request == :get_game,
    do: answer

  defp answer({:carried_out, game}, %{request: :end_round}), do: game
  defp answer({:carried_out, game}, _register), do: {:ok, game}
  defp answer({:now, answer}, _call), do: answer
  # `:in_doubt`, or a host that knows nothing of repetitions.
  defp answer(_in_doubt, _call), do: {:error, :in_doubt}

  # As gen_server:call/3 asks; what is new is that the caller learns the tag.
  defp ask(pid, message) do
    tag = :erlang.monitor(:process, pid, alias: :reply_demonitor)
    send(pid, {:"$gen_call", {self(), [:alias | tag]}, message})

    receive do
      {[:alias | ^tag], answer} -> {:ok, answer}
      {:DOWN, ^tag, _, _, reason} -> {:down, tag, reason}
    after
      @call_ms -> give_up(tag)
    end
  end

  defp give_up(tag) do
    Process.demonitor(tag, [:flush])
    receive(do: ({[:alias | ^tag], answer} -> {:ok, answer}), after: (0 -> :timeout))
  end

  defp exit_as_call(reason, pid, call) do
    exit({reason, {GenServer, :call, [pid, call.request, @call_ms]}})
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
end
