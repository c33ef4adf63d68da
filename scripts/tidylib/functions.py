"""Where functions begin and end, in C, Elixir, shell and Python, as formatted here.

Each finder gives (name, first line, last line). They rely on the formatters: a C function's
braces stand alone in the first column, an Elixir definition's `end` stands under its `def`.
"""

import ast
import re

C_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")
ELIXIR_HEAD = re.compile(
    r"^(\s*)(def|defp|defmacro|defmacrop|test|setup|setup_all|property)\b(?! :)[ (]?(.*)$"
)
SHELL_HEAD = re.compile(r"^(?:function\s+)?([A-Za-z_][\w-]*)\s*\(\)\s*[{(]\s*$")


def c_functions(file):
    lines = file.code_lines
    start = None
    for index, line in enumerate(lines):
        if line.rstrip() == "{":
            start = index
        elif start is not None and line.startswith("}"):
            head = c_head(lines, start)
            match = C_NAME.search("".join(lines[head:start]))
            name = match.group(1) if match else "?"
            yield name, head + 1, index + 1
            start = None


def c_head(lines, brace):
    """Find the line on which the definition with its brace at index @brace starts."""
    head = brace
    while head > 0 and lines[head - 1].strip() and not lines[head - 1].startswith(("}", "#")):
        head -= 1
    return head


def elixir_functions(file):
    lines = file.code_lines
    for index, line in enumerate(lines):
        match = ELIXIR_HEAD.match(line)
        if not match:
            continue
        last = elixir_end(lines, index, match.group(1))
        if last is not None:
            original = ELIXIR_HEAD.match(file.lines[index])
            name = re.split(r"[(,]", original.group(3) or match.group(2))[0].strip()
            yield name, index + 1, last + 1


def elixir_end(lines, start, indent):
    """Find the `end` of the definition at index @start; None when it has only `do:`."""
    for index in range(start, len(lines)):
        if re.search(r"\bdo:", lines[index]):
            return None
        if re.search(r"\bdo(\s+\w.*->)?\s*$", lines[index]):
            break
    else:
        return None
    for index in range(start + 1, len(lines)):
        if re.match(rf"^{indent}end\b", lines[index]):
            return index
    return None


def shell_functions(file):
    name, start = None, 0
    for index, line in enumerate(file.lines):
        match = SHELL_HEAD.match(line)
        if match:
            name, start = match.group(1), index
        elif name and line.rstrip() in ("}", ")"):
            yield name, start + 1, index + 1
            name = None


def python_functions(file):
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def functions(file):
    if file.is_c:
        return c_functions(file)
    if file.is_elixir:
        return elixir_functions(file)
    if file.is_shell:
        return shell_functions(file)
    return python_functions(file)
