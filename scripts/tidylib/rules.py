"""The rules of the house, as one table: name, which files, how it is checked.

A check is one rule on one file (or, for public-size, on the folder). A failure is a
(path, line, message).
"""

from tidylib import contracts, includes, shape, tools


class Rule:
    """One rule; @check is called with (file, repo) and gives (line, message) for what is wrong."""

    def __init__(self, name, applies, check):
        self.name = name
        self.applies = applies
        self.check = check

    def run(self, repo):
        """Give (checks made, failures)."""
        files = [file for file in repo.files if self.applies(file)]
        failures = []
        for file in files:
            for line, message in self.check(file, repo):
                failures.append((file.path, line, message))
        return len(files), failures


class ToolRule(Rule):
    """A rule whose @check takes all its files at once."""

    def run(self, repo):
        files = [file for file in repo.files if self.applies(file)]
        return len(files), list(self.check(files, repo)) if files else []


class RepoRule(Rule):
    """A rule about the whole; @check is called with the repo."""

    def run(self, repo):
        return 1, list(self.check(repo))


def has_functions(file):
    return file.is_c or file.is_elixir or file.is_shell or file.is_python


def is_text(file):
    """Files that we wrote; recorded bytes and the licence speak for themselves."""
    return file.name != "LICENSE" and not file.under("tests", "vectors")


def is_header(file):
    return file.extension == ".h" and (file.under("include") or file.under("cnode"))


RULES = [
    Rule("include-direction", includes.applies, includes.check),
    RepoRule("public-size", None, shape.public_size),
    Rule("has-test", contracts.is_layer_source, contracts.has_test),
    Rule(
        "is-built",
        lambda file: contracts.is_layer_source(file) or contracts.is_unit_test(file),
        contracts.is_built,
    ),
    Rule("function-length", has_functions, shape.function_length),
    Rule("file-length", lambda file: file.is_source, shape.file_length),
    Rule("columns", lambda file: file.is_source, shape.columns),
    Rule("whitespace", lambda file: file.is_source, shape.whitespace),
    Rule(
        "banned-calls",
        lambda file: file.is_c or (shape.in_tests(file) and has_functions(file)),
        shape.banned_calls,
    ),
    Rule("unfinished", lambda file: file.is_source, shape.unfinished),
    Rule("places", is_text, shape.places),
    Rule("banner", lambda file: file.is_c, shape.banner),
    Rule("documented", is_header, contracts.documented),
    Rule("test-purpose", contracts.is_unit_test, contracts.test_purposes),
    Rule("strict-shell", lambda file: file.is_shell, contracts.strict_shell),
    ToolRule("clang-format", lambda file: file.is_c, tools.clang_format),
    ToolRule(
        "mix-format",
        lambda file: file.is_elixir and file.under(tools.HARNESS),
        tools.mix_format,
    ),
    ToolRule("shellcheck", lambda file: file.is_shell, tools.shellcheck),
]
