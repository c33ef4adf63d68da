defmodule Minotaur.SessionHost.Signals do
  @moduledoc """
  What a node that leaves does when it is told so again.

  OTP itself stops the node at the first SIGTERM, and with it this application, which drains; it
  does nothing more at the next ones. This is a second handler beside OTP's own, which stays as it
  is: it hears the same signals. The second SIGTERM leaves a drain that is on one second; the third
  ends it at once, and OTP stops the rest. Without a drain it does nothing.
  """

  @behaviour :gen_event

  alias Minotaur.SessionHost

  @server :erl_signal_server

  @doc "Begins to count. OTP's own server of signals is missing on systems without signals."
  @spec install :: :ok
  def install do
    remove()
    if Process.whereis(@server), do: :gen_event.add_handler(@server, __MODULE__, [])
    :ok
  end

  @doc "Ends that."
  @spec remove :: :ok
  def remove do
    if Process.whereis(@server), do: :gen_event.delete_handler(@server, __MODULE__, [])
    :ok
  end

  @impl true
  def init([]), do: {:ok, 0}

  @impl true
  def handle_event(:sigterm, count) do
    case count + 1 do
      1 -> :ok
      2 -> hurry(:soon)
      _third -> hurry(:now)
    end

    {:ok, count + 1}
  end

  def handle_event(_other, count), do: {:ok, count}

  @impl true
  def handle_call(_unknown, count), do: {:ok, {:error, :unknown_request}, count}

  # A drain that is on has a second left, or no time.
  defp hurry(how) do
    if host = Process.whereis(SessionHost), do: send(host, {SessionHost, :hurry, how})
    :ok
  end
end
