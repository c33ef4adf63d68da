formatters = Application.get_env(:ex_unit, :formatters, [ExUnit.CLIFormatter])
ExUnit.start(formatters: formatters ++ [Minotaur.Cluster.LogFormatter])
