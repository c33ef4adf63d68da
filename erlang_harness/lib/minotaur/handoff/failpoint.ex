defmodule Minotaur.Handoff.Failpoint do
  @moduledoc """
  Named steps of a handoff at which a test lets its own node fail. The points and actions are those
  of `cnode/session/failpoint.h`; `config :minotaur, failpoint: "out_ready=kill"` sets one.

  They exist where the application was compiled with `config :minotaur, failpoints: true`, in the
  tests' environment. Anywhere else `pass?/1` is true and nothing is looked up.
  """

  if Application.compile_env(:minotaur, :failpoints, false) do
    @doc "Reaches a point: fails here if it is set to; false when the step is to be left out."
    @spec pass?(atom) :: boolean
    def pass?(point) do
      case action(point) do
        "kill" -> signal("KILL")
        "stop" -> signal("STOP")
        "silent" -> false
        _none_or_refuse -> true
      end
    end

    @doc "Whether the answer at this point is to be a refusal."
    @spec refuses?(atom) :: boolean
    def refuses?(point), do: action(point) == "refuse"

    defp action(point) do
      with setting when is_binary(setting) <- Application.get_env(:minotaur, :failpoint),
           [name, action] <- String.split(setting, "="),
           true <- name == Atom.to_string(point) do
        action
      else
        _not_here -> nil
      end
    end

    # A signal takes its time: nothing of this process happens before it is there. Of a VM that is
    # to stop one thread hears it first, the others run on until that one gets a processor: so who
    # sends it waits until it sees that all have stopped.
    defp signal("KILL") do
      {"", 0} = System.cmd("kill", ["-KILL", System.pid()])
      await_end()
    end

    defp signal("STOP") do
      look = "case $(ps -o stat= -p #{System.pid()}) in T*) exit;; esac"
      script = "kill -STOP #{System.pid()}; for _ in $(seq 500); do #{look}; done"
      {"", 0} = System.cmd("sh", ["-c", script])
      true
    end

    defp await_end, do: receive(do: (:never -> true))
  else
    @doc "Goes on."
    @spec pass?(atom) :: true
    def pass?(_point), do: true

    @doc "Never."
    @spec refuses?(atom) :: false
    def refuses?(_point), do: false
  end
end
