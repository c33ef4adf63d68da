"""What belongs together: a source with its test and its build files, a function with its words."""

import re

DECLARATION = re.compile(r"^(?!typedef|static|return|else|START_TEST)[A-Za-z_][\w \t*]*?\b(\w+)\(")
EXEMPT_FROM_TEST = {"main.c"}


def is_layer_source(file):
    return file.under("cnode") and len(file.folders) == 2 and file.extension == ".c"


def is_unit_test(file):
    return (
        file.under("tests", "unit")
        and len(file.folders) == 3
        and file.extension == ".c"
        and file.name.startswith("test_")
    )


def has_test(file, repo):
    if file.name in EXEMPT_FROM_TEST:
        return
    test = f"tests/unit/{file.folders[1]}/test_{file.name}"
    if test not in repo.by_path:
        yield 1, f"no {test}"


def is_built(file, repo):
    """A source or test that no meson.build names would rot unseen."""
    if file.name in EXEMPT_FROM_TEST:
        return
    build = "/".join(file.folders + ["meson.build"])
    name = f"'{file.name}'"
    if is_unit_test(file):
        name = "'" + file.name[len("test_"):-len(".c")] + "'"
    if build not in repo.by_path or name not in repo.by_path[build].text:
        yield 1, f"{name} is not in {build}"


def comment_above(lines, index):
    """Give the first line of the comment that ends right above line index @index, or None."""
    end = index - 1
    if end < 0 or not lines[end].rstrip().endswith("*/"):
        return None
    while end >= 0 and "/*" not in lines[end]:
        end -= 1
    return lines[end].strip() if end >= 0 else None


def documented(file, _repo):
    """Each function that a header declares carries its contract in a doc comment."""
    continued = False
    for index, line in enumerate(file.code_lines):
        match = None if continued else DECLARATION.match(line)
        code = line.strip()
        if match:
            above = comment_above(file.lines, index)
            if above is None or not above.startswith("/**"):
                yield index + 1, f"{match.group(1)} has no /** comment */ right above it"
        if code and not code.startswith("#"):
            continued = not code.endswith((";", "{", "}"))


def test_purposes(file, _repo):
    for index, line in enumerate(file.code_lines):
        match = re.match(r"START_TEST\s*\((\w*)", line)
        if match and comment_above(file.lines, index) is None:
            yield index + 1, f"{match.group(1)} has no sentence of purpose above it"


def strict_shell(file, _repo):
    if file.extension != ".sh" and not re.search(r"^set -euo pipefail$", file.text, re.MULTILINE):
        yield 1, "no `set -euo pipefail`"
