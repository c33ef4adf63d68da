"""Feed each rule something bad and see it fail; feed all of them something good and see none do.

A bad case is a change to the good tree below. A rule without a bad case fails the self-test.
"""

import os
import shutil
import tempfile

from tidylib import tools
from tidylib.repo import Repo
from tidylib.rules import RULES

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BANNER = """/*
 * Walk: checks a term before anything else reads it.
 *
 * It counts depth, not the stack. It fails with CN_E_INVALID and changes nothing.
 */
"""
HEADER = BANNER + """#ifndef ETF_WALK_H
#define ETF_WALK_H

#include <stddef.h>

/** Walk over @size bytes. Errors: CN_E_INVALID. */
int walk(const char *data, size_t size);

#endif
"""
SOURCE = BANNER + """#include "etf/walk.h"

#include <ei.h>

#include "base/error.h"

int walk(const char *data, size_t size)
{
    /* "strcpy(a, b)" is only text here. */
    return data[0] == '"' ? 0 : (int)size;
}
"""
PURPOSE = "/* A quote ends the walk. */"
TEST = BANNER + """#include "etf/walk.h"

#include <check.h>

""" + PURPOSE + """
START_TEST(quote_ends)
{
    ck_assert_int_eq(walk("a", 1), 1);
}
END_TEST
"""
ELIXIR = """defmodule A do
  # Process.sleep/1 is only named here.
  def answer(x) do
    if x, do: "#{x}", else: 42
  end
end
"""
SCRIPT = "#!/usr/bin/env bash\n# Say so.\n\nset -euo pipefail\n\nmain() {\n    echo so\n}\n\nmain\n"
GOOD = {
    "include/cnode/term.h": BANNER + "#include <stddef.h>\n",
    "cnode/etf/meson.build": "etf_sources = files('walk.c')\n",
    "cnode/etf/walk.h": HEADER,
    "cnode/etf/walk.c": SOURCE,
    "cnode/minotaur/rules.h": BANNER + '#include <cnode/term.h>\n#include "state.h"\n',
    "tests/unit/etf/meson.build": "etf_tests = ['walk']\n",
    "tests/unit/etf/test_walk.c": TEST,
    "erlang_harness/mix.exs": ELIXIR,
    "erlang_harness/.formatter.exs": '[\n  inputs: ["{mix,.formatter}.exs", "test/**/*.exs"]\n]\n',
    "erlang_harness/test/a_test.exs": ELIXIR,
    "scripts/say": SCRIPT,
}


def included(line, path="cnode/etf/walk.c"):
    """The file at @path with one more include."""
    return {path: GOOD[path].replace("#include", line + "\n#include", 1)}


def long_elixir():
    lines = "".join(f"    _ = {number}\n" for number in range(70))
    return "defmodule A do\n  def long(a) do\n    _ = a\n" + lines + "  end\nend\n"


# (rule, changes to GOOD): None takes a file away.
BAD = [
    ("include-direction", included('#include "net/loop.h"')),
    ("include-direction", included("#include <uv.h>")),
    ("include-direction", included("#include <sys/socket.h>")),
    ("include-direction", included("#include <time.h>")),
    ("include-direction", included('#include "../base/error.h"')),
    ("include-direction", included("#include <ei.h>", "include/cnode/term.h")),
    ("include-direction", included('#include "etf/walk.h"', "cnode/minotaur/rules.h")),
    ("include-direction", included("#include <unistd.h>", "cnode/minotaur/rules.h")),
    ("include-direction", {"tests/nodes/echo.c": BANNER + '#include "etf/walk.h"\n'}),
    ("include-direction", {"cnode/proc/a.h": BANNER + '#include "dist/frame.h"\n'}),
    ("include-direction", {"cnode/otp/a.h": BANNER + '#include "registry/names.h"\n'}),
    ("include-direction", {"cnode/base/a.h": BANNER + "#include <cnode/term.h>\n"}),
    ("include-direction", {"cnode/stray/a.h": BANNER}),
    ("public-size", {"include/cnode/big.h": BANNER + "/* more */\n" * 700}),
    ("has-test", {"tests/unit/etf/test_walk.c": None}),
    ("is-built", {"cnode/etf/meson.build": "etf_sources = files()\n"}),
    ("is-built", {"tests/unit/etf/meson.build": None}),
    ("function-length", {"cnode/etf/walk.c": SOURCE.replace("    return", "    a++;\n" * 70)}),
    ("function-length", {"erlang_harness/test/a_test.exs": long_elixir()}),
    ("function-length", {"scripts/say": SCRIPT.replace("    echo so\n", "    echo so\n" * 70)}),
    ("function-length", {"scripts/say.py": "def a():\n" + "    print()\n" * 70}),
    ("file-length", {"cnode/etf/walk.h": HEADER + "/* more */\n" * 490}),
    ("columns", {"erlang_harness/test/a_test.exs": "# " + "long " * 20 + "\n"}),
    ("whitespace", {"scripts/say": SCRIPT.replace("echo so", "echo so ")}),
    ("banned-calls", {"cnode/etf/walk.c": SOURCE.replace("(int)size", "!strcpy(a, data)")}),
    ("banned-calls", {"cnode/etf/walk.c": SOURCE.replace("(int)size", "atoi(data)")}),
    ("banned-calls", {"tests/unit/etf/test_walk.c": TEST.replace("ck_a", "usleep(1), ck_a")}),
    ("banned-calls", {"erlang_harness/test/a_test.exs": ELIXIR.replace("42", "Process.sleep(1)")}),
    ("banned-calls", {"erlang_harness/test/a_test.exs": ELIXIR.replace("42", ":timer.sleep(1)")}),
    ("unfinished", {"scripts/say": SCRIPT.replace("Say so.", "TO" + "DO: say so.")}),
    ("places", {"scripts/say": SCRIPT.replace("so\n}", "/ho" + "me/me/x\n}")}),
    ("places", {"scripts/say": SCRIPT.replace("so\n}", "py" + "pi.org\n}")}),
    ("banner", {"cnode/etf/walk.c": SOURCE.replace(BANNER, "/* Walk. */\n")}),
    ("documented", {"cnode/etf/walk.h": HEADER.replace("/** Walk", "/* Walk")}),
    ("documented", {"include/cnode/term.h": BANNER + "struct a *cn_a(int b,\n    int c);\n"}),
    ("test-purpose", {"tests/unit/etf/test_walk.c": TEST.replace(PURPOSE, "")}),
    ("strict-shell", {"scripts/say": SCRIPT.replace("set -euo pipefail\n", "")}),
    ("clang-format", {"cnode/etf/walk.c": SOURCE.replace("return data", "return  data")}),
    ("mix-format", {"erlang_harness/test/a_test.exs": ELIXIR.replace("42", " 42")}),
    ("shellcheck", {"scripts/say": SCRIPT.replace("echo so", "cd $1; echo $so")}),
]
JUDGE_IS_HERE = {
    "clang-format": tools.clang_format_judges,
    "mix-format": lambda: shutil.which("mix") is not None,
    "shellcheck": lambda: shutil.which("shellcheck") is not None,
}


def failing_rules(changes, rules):
    """Write the good tree with @changes and give {rule name: failures} of @rules that fail."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(os.path.join(ROOT, ".clang-format"), root)
        for path, text in {**GOOD, **changes}.items():
            if text is None:
                continue
            full_path = os.path.join(root, path)
            os.makedirs(os.path.dirname(full_path), exist_ok=True)
            with open(full_path, "w", encoding="utf-8") as handle:
                handle.write(text)
        # The game's header includes a neighbour.
        with open(os.path.join(root, "cnode/minotaur/state.h"), "w", encoding="utf-8") as handle:
            handle.write(BANNER)
        repo = Repo(root)
        return {rule.name: failures for rule in rules if (failures := rule.run(repo)[1])}


def problems():
    """Give a line for everything that is wrong with the rules, and count the cases."""
    found = [f"good tree: {name}: {why}" for name, why in failing_rules({}, RULES).items()]
    for name, changes in BAD:
        if not JUDGE_IS_HERE.get(name, lambda: True)():
            continue
        if not failing_rules(changes, [rule for rule in RULES if rule.name == name]):
            found.append(f"{name} did not fail on {changes}")
    for rule in RULES:
        if rule.name not in {name for name, _ in BAD}:
            found.append(f"{rule.name} has no bad case")
    return found, len(BAD) + 1
