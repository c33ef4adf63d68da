import Config

config :logger, level: :warning
config :minotaur, failpoints: true
