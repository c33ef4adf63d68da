defmodule Minotaur.Cluster.Epmd do
  @moduledoc """
  An epmd of the cluster's own, on a free port of the loopback interface.

  It runs in the foreground under a shell that ends it when its standard input closes: that is when
  the owner of the port ends, and also when the whole test VM is killed. The shell then removes a
  directory, too: the cluster's secrets.
  """

  @start_ms 10_000
  @attempts 5

  @enforce_keys [:port, :number, :os_pid]
  defstruct @enforce_keys

  @type t :: %__MODULE__{port: port, number: :inet.port_number(), os_pid: pos_integer}

  # Two children of the shell: epmd, and the one that waits for the end of the input.
  @script ~S"""
  exec 3<&0 2>/dev/null
  "$1" -address 127.0.0.1 -port "$2" </dev/null >/dev/null 2>&1 &
  epmd=$!
  (cat <&3; kill "$epmd"; rm -rf "$3"; rmdir "${3%/*}") >/dev/null 2>&1 &
  echo "$epmd"
  wait "$epmd"
  """

  @doc "Starts an epmd owned by the calling process. `directory` is removed when it ends."
  @spec start!(Path.t()) :: t
  def start!(directory), do: start!(directory, @attempts)

  # The free port may be taken by somebody else before epmd takes it: then another one.
  defp start!(_directory, 0), do: raise("no epmd could be started")

  defp start!(directory, attempts) do
    case start_on(free_port(), directory) do
      {:ok, epmd} -> epmd
      :ended -> start!(directory, attempts - 1)
    end
  end

  @doc "Starts an epmd on this port, as `start!/1` does; `:ended` when it cannot have it."
  @spec start_on(:inet.port_number(), Path.t()) :: {:ok, t} | :ended
  def start_on(number, directory) do
    port = open(number, directory)
    os_pid = read_pid(port)

    with :ok <- await(port, number, now_ms() + @start_ms) do
      {:ok, %__MODULE__{port: port, number: number, os_pid: os_pid}}
    end
  end

  @doc "The names registered with the epmd on this port, with their own ports."
  @spec names(:inet.port_number()) :: %{String.t() => :inet.port_number()}
  def names(number) do
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, number, [:binary, active: false], 1_000)
    :ok = :gen_tcp.send(socket, <<1::16, ?n>>)
    <<^number::32, text::binary>> = receive_all(socket, "")

    for [_line, name, port] <- Regex.scan(~r/^name (.*) at port (\d+)$/m, text), into: %{} do
      {name, String.to_integer(port)}
    end
  end

  defp receive_all(socket, text) do
    case :gen_tcp.recv(socket, 0, 1_000) do
      {:ok, more} -> receive_all(socket, text <> more)
      {:error, :closed} -> text
    end
  end

  @doc "Ends it, and returns when it is gone."
  @spec stop(t) :: :ok
  def stop(%{port: port, os_pid: os_pid}) do
    Minotaur.Cluster.OsProcess.signal(os_pid, :term)
    receive do: ({^port, {:exit_status, _status}} -> :ok)
  end

  @doc "A port that nobody listens on just now."
  @spec free_port :: :inet.port_number()
  def free_port do
    {:ok, socket} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, number} = :inet.port(socket)
    :gen_tcp.close(socket)
    number
  end

  defp open(number, directory) do
    epmd = System.find_executable("epmd") || raise "epmd is not in the PATH"

    Port.open({:spawn_executable, "/bin/sh"}, [
      :exit_status,
      {:line, 100},
      args: ["-c", @script, "sh", epmd, "#{number}", directory]
    ])
  end

  defp read_pid(port) do
    receive do
      {^port, {:data, {:eol, line}}} -> List.to_integer(line)
      {^port, {:exit_status, status}} -> raise "the shell of epmd ended with #{status}"
    end
  end

  defp await(port, number, deadline) do
    receive do
      {^port, {:exit_status, _status}} -> :ended
    after
      10 -> await_listening(port, number, deadline)
    end
  end

  defp await_listening(port, number, deadline) do
    case :gen_tcp.connect({127, 0, 0, 1}, number, [], 1_000) do
      {:ok, socket} ->
        :gen_tcp.close(socket)
        :ok

      {:error, _reason} ->
        if now_ms() > deadline, do: raise("epmd does not listen on port #{number}")
        await(port, number, deadline)
    end
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
end
