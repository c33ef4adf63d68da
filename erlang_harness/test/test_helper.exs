formatters = Application.get_env(:ex_unit, :formatters, [ExUnit.CLIFormatter])

# Cluster tests mostly wait for nodes to boot and to leave: three at a time keep two cores busy.
ExUnit.start(formatters: formatters ++ [Minotaur.Cluster.LogFormatter], max_cases: 3)
