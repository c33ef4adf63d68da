formatters = Application.get_env(:ex_unit, :formatters, [ExUnit.CLIFormatter])

# Cluster tests mostly wait for nodes to boot and to leave: three at a time keep two cores busy, so
# that a message may be longer on its way than the tenth of a second that ExUnit gives it.
ExUnit.start(
  formatters: formatters ++ [Minotaur.Cluster.LogFormatter],
  max_cases: 3,
  assert_receive_timeout: 10_000
)
