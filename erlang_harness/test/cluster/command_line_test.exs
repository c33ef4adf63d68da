defmodule Minotaur.Cluster.CommandLineTest do
  @moduledoc """
  `minotaur-node` as an operator starts it: mistakes are one line and status 64, and a name that is
  taken is said to be so.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{CNode, Epmd, Logs, Manager, OsProcess}
  alias Minotaur.ClusterHelper, as: Cluster

  # What it says and what it prints apart, by way of a shell.
  @script ~S(exec "$0" "$@" 2>"$STDERR" </dev/null)
  @name "n@127.0.0.1"

  setup ctx do
    directory = Path.join(Logs.root(), "command-line-#{System.unique_integer([:positive])}")
    Logs.make!(directory)
    on_exit(fn -> File.rm_rf!(directory) end)
    cookie = Path.join(directory, "cookie")
    write_cookie(cookie, "secret\n", 0o600)
    Map.merge(ctx, %{directory: directory, cookie: cookie})
  end

  # One line that names what is wrong, nothing on the standard output, EX_USAGE.
  test "a mistake is one line on the standard error and status 64", ctx do
    for {arguments, said} <- [
          {["--nmae", @name], "--nmae: unknown option"},
          {[], "--name: needs NAME@HOST"},
          {["--name"], "--name: needs NAME@HOST"},
          {["--name", "no-host"], "--name: expected NAME@HOST"},
          {["--name", "two words@127.0.0.1"], "--name: expected NAME@HOST"},
          {["--name", "bell\a@127.0.0.1"], "--name: expected NAME@HOST"},
          {["--name", @name, "--connect", "x"], "--connect: expected NAME@HOST"},
          {["--name", @name, "--connect", @name], "--connect: #{@name} is this node itself"},
          {["--connect", @name, "--name", @name], "--connect: #{@name} is this node itself"},
          {["--name", @name, "--listen", "nowhere"], "--listen: expected ADDR[:PORT]"},
          {["--name", @name, "--listen", "127.0.0.1:99999"], "--listen: expected ADDR[:PORT]"},
          {["--name", @name, "--net-ticktime", "3"], "--net-ticktime: expected seconds"},
          {["--name", @name, "--log-level", "loud"], "--log-level: expected debug"},
          {["--name", @name, "--hidden=yes"], "--hidden: takes no value"}
        ] do
      assert {64, "", line} = run(ctx, ["--cookie-file", ctx.cookie | arguments])
      assert line =~ ~r/\Aminotaur-node: [^\n]+\n\z/
      assert line =~ said
    end
  end

  # A secret that others may read is none; what was read is not repeated.
  test "a cookie file that cannot be used is said to be so", ctx do
    write_cookie(ctx.directory <> "/open", "secret", 0o644)
    write_cookie(ctx.directory <> "/empty", "\n", 0o600)
    write_cookie(ctx.directory <> "/long", String.duplicate("x", 300), 0o600)
    write_cookie(ctx.directory <> "/lines", "secret\nsecret\n", 0o600)

    for {file, said} <- [
          {"missing", "No such file"},
          {".", "is no regular file"},
          {"open", "chmod 600"},
          {"empty", "holds no cookie"},
          {"long", "longer than 255 bytes"},
          {"lines", "more than one line"}
        ] do
      path = Path.join(ctx.directory, file)
      assert {64, "", line} = run(ctx, ["--name", @name, "--cookie-file", path])
      assert line =~ ~r/\Aminotaur-node: [^\n]+\n\z/
      assert line =~ said
      refute line =~ "secret"
    end
  end

  # The same settings, and the same judgement, from the environment.
  test "a mistake in a variable names the variable", ctx do
    for {variable, value} <- [
          {"MINOTAUR_NODE_NAME", "nobody"},
          {"MINOTAUR_NODE_CONNECT", "a@b,c"},
          {"MINOTAUR_ROUND_SECONDS", "soon"},
          {"MINOTAUR_DRAIN_SECONDS", "0"},
          {"MINOTAUR_CAPACITY", "-1"},
          {"ERL_EPMD_PORT", "0"},
          {"ERL_EPMD_ADDRESS", "nowhere"}
        ] do
      arguments = ["--name", @name, "--cookie-file", ctx.cookie]
      assert {64, "", line} = run(ctx, arguments, %{variable => value})
      assert line =~ ~r/\Aminotaur-node: #{variable}: expected [^\n]+\n\z/
    end
  end

  test "--version and --help answer on the standard output", ctx do
    assert {0, version, ""} = run(ctx, ["--version"])
    assert version =~ ~r/\Aminotaur-node \d+\.\d+\.\d+\n\z/
    assert {0, help, ""} = run(ctx, ["--help"])
    for option <- ~w(--name --cookie-file --connect --listen --hidden), do: assert(help =~ option)
  end

  # The first keeps its name; the second says why it waits, and has it when the first is gone.
  test "a name that is taken is said to be taken, and had when it is free", ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    {:ok, first} = Manager.start_node(cluster, kind: :c)
    %{epmd: epmd, cookie_file: cookie_file} = :sys.get_state(cluster)
    [alive, _host] = first |> Atom.to_string() |> String.split("@")
    assert %{^alive => port} = Epmd.names(epmd.number)

    second = start_node(ctx, first, epmd.number, cookie_file)
    log = Path.join(ctx.directory, "node.log")
    wait_until(fn -> assert File.read!(log) =~ ~r/epmd.*a node of this name is registered/ end)
    assert %{^alive => ^port} = Epmd.names(epmd.number)
    Cluster.stop_node(cluster, first, graceful_shutdown: false)
    assert_receive {:booted, ^first, _details}, 10_000
    assert %{^alive => other_port} = Epmd.names(epmd.number)
    assert other_port != port
    CNode.stop(second, :graceful)
    assert_receive {:down, ^first, 0}, 10_000
  end

  # The node comes up without EPMD, and is registered whenever there is one.
  test "the name is back in EPMD whenever EPMD is back", ctx do
    name = :"back@127.0.0.1"
    home = fn -> Path.join(ctx.directory, "home-#{System.unique_integer()}") end
    number = Epmd.free_port()
    node = start_node(ctx, name, number, ctx.cookie)
    log = Path.join(ctx.directory, "node.log")
    wait_until(fn -> assert File.read!(log) =~ "epmd.unavailable" end)

    for _again <- 1..3 do
      {:ok, epmd} = Epmd.start_on(number, home.())
      wait_until(fn -> assert %{"back" => _port} = Epmd.names(number) end)
      Epmd.stop(epmd)
    end

    assert_receive {:booted, ^name, _details}, 10_000
    assert length(Regex.scan(~r/epmd.registered/, File.read!(log))) == 3
    CNode.stop(node, :graceful)
    assert_receive {:down, ^name, 0}, 10_000
  end

  defp start_node(ctx, name, epmd_port, cookie_file) do
    config = %{
      name: name,
      log: Path.join(ctx.directory, "node.log"),
      cookie_file: cookie_file,
      epmd_port: epmd_port,
      environment: [],
      net_ticktime: nil,
      hidden: false,
      connect: [],
      arguments: [],
      executable: CNode.executable!(),
      cpus: nil
    }

    {:ok, node} = CNode.start_link(config)
    node
  end

  # {status, standard output, standard error}
  defp run(ctx, arguments, variables \\ %{}) do
    stderr = Path.join(ctx.directory, "stderr")
    variables = Map.put(variables, "STDERR", stderr)
    env = for {k, v} <- OsProcess.environment(variables), do: {to_string(k), v && to_string(v)}
    env = for {name, value} <- env, do: {name, value || nil}
    sh = ["-c", @script, CNode.executable!() | arguments]
    {stdout, status} = System.cmd("/bin/sh", sh, env: env)
    {status, stdout, File.read!(stderr)}
  end

  defp write_cookie(file, text, mode) do
    File.write!(file, text)
    File.chmod!(file, mode)
  end
end
