defmodule Minotaur.Application do
  @moduledoc """
  A node on which this application runs is a host: it carries game sessions, tells the other hosts
  of the cluster so, and hands its sessions over when it leaves.

  It starts on a lone VM as well: that is a cluster of one host. Stopping it (`System.stop/0`,
  SIGTERM, `Application.stop/1`) drains: `prep_stop/1` returns when the sessions have moved, or at
  the drain's deadline.
  """

  use Application

  require Logger

  alias Minotaur.GameEngine.{EndedSessions, LocalSessions, NameKeeper, Names, SessionSupervisor}
  alias Minotaur.{GameEngine, PubSub, SessionHost, Settings}
  alias Minotaur.SessionHost.{Bandwidth, Signals}

  # What a drain may take beyond its own deadline before the stop goes on without it.
  @grace_ms 5_000

  @impl true
  def start(_type, _args) do
    load_code()
    check_settings()
    allow_two_global_names()
    Names.init()
    Bandwidth.init()
    EndedSessions.init()

    children = [
      PubSub,
      LocalSessions,
      Names.Batch,
      NameKeeper,
      {Task.Supervisor, name: Minotaur.TaskSupervisor},
      {DynamicSupervisor, name: SessionSupervisor, strategy: :one_for_one},
      SessionHost
    ]

    children = PubSub.phoenix_children() ++ children
    options = [strategy: :one_for_one, name: Minotaur.Supervisor]

    with {:ok, supervisor} <- Supervisor.start_link(children, options) do
      Signals.install()
      {:ok, supervisor}
    end
  end

  @impl true
  def stop(_state), do: Signals.remove()

  @impl true
  def prep_stop(state) do
    SessionHost.drain(SessionHost, :stay, Settings.drain_ms() + @grace_ms)
    state
  catch
    :exit, reason ->
      Logger.error("drain: broke off: #{Exception.format_exit(reason)}")
      state
  end

  # What a drain needs must not be loaded while the node stops: a deploy may have replaced the files
  # by then, and OTP 29 loads no native code any more (crypto has some).
  defp load_code do
    Code.ensure_loaded!(:crypto)
    :ok = :code.ensure_modules_loaded(Application.spec(:minotaur, :modules))
  end

  # A typing error ends the start, not the first session.
  defp check_settings do
    Settings.drain_ms()
    Settings.drain_bytes_per_second()
    Settings.names_wait_ms()
    Settings.capacity()
    Settings.pubsub()
    GameEngine.Settings.round_seconds()
  end

  # A session has two names, its id's and its join code's. Without this :global refuses the second
  # name of a process (kernel's documentation of global:register_name/3).
  defp allow_two_global_names do
    Application.put_env(:kernel, :global_multi_name_action, :allow)
  end
end
