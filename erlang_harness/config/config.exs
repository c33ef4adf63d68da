import Config

# `config :minotaur, round_seconds: n` sets the length of a round in seconds (0: no timer). It is
# left unset here, so that MINOTAUR_ROUND_SECONDS of the running node decides; without both it is
# 60. See Minotaur.GameEngine.Settings.

import_config "#{config_env()}.exs"
