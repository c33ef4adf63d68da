"""Size, names and words: what can be judged from the text of one file."""

import re

from tidylib.functions import functions

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
COLUMNS_MAX = 100
PUBLIC_LINES_MAX = 699

BANNED_C = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|gets)\s*\(")
SLEEP_C = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep)\s*\(")
SLEEP_ELIXIR = re.compile(r"\bProcess\.sleep\b|:timer\.sleep\b")
SLEEP_SHELL = re.compile(r"^\s*sleep\s")
# Put together from pieces, so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w./$}*-])/(work|home|root)/")
REGISTRY_HOST = re.compile(
    r"\b(" + "|".join([
        r"(repo|builds)\.hex" + r"\.pm", r"registry\." + r"npmjs\.org", r"pypi" + r"\.org",
        r"files\.pythonhosted" + r"\.org", r"crates" + r"\.io", r"rubygems" + r"\.org",
        r"proxy\.golang" + r"\.org", r"[\w.]*deb\.debian" + r"\.org",
        r"ftp\.[\w.]*debian" + r"\.org", r"security\.debian" + r"\.org",
        r"archive\.ubuntu" + r"\.com", r"repo\.maven" + r"\.apache\.org",
        r"registry-1\.docker" + r"\.io", r"artifactory\.[\w.]+", r"[\w-]+\.pkg" + r"\.dev",
    ]) + r")\b"
)


def function_length(file, _repo):
    for name, first, last in functions(file):
        length = last - first + 1
        if length > FUNCTION_LINES_MAX:
            yield first, f"{name} has {length} lines, {FUNCTION_LINES_MAX} are allowed"


def file_length(file, _repo):
    if len(file.lines) > FILE_LINES_MAX:
        yield len(file.lines), f"{len(file.lines)} lines, {FILE_LINES_MAX} are allowed"


def columns(file, _repo):
    for number, line in enumerate(file.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, {COLUMNS_MAX} are allowed"


def whitespace(file, _repo):
    for number, line in enumerate(file.lines, 1):
        if "\t" in line or line != line.rstrip():
            yield number, "a tab, or space at the end of the line"
    if file.text and not file.text.endswith("\n"):
        yield len(file.lines), "no line break at the end of the file"


def in_tests(file):
    return file.under("tests") or file.under("erlang_harness", "test")


def banned_calls(file, _repo):
    patterns = []
    if file.is_c:
        patterns.append((BANNED_C, "knows no bound"))
    if in_tests(file):
        why = "wait for a condition, not for time"
        patterns += [(SLEEP_C, why)] if file.is_c else []
        patterns += [(SLEEP_ELIXIR, why)] if file.is_elixir else []
        patterns += [(SLEEP_SHELL, why)] if file.is_shell else []
    for number, line in enumerate(file.code_lines, 1):
        for pattern, why in patterns:
            match = pattern.search(line)
            if match:
                yield number, f"{match.group(0).strip()}: {why}"


def unfinished(file, _repo):
    for number, line in enumerate(file.lines, 1):
        match = UNFINISHED.search(line)
        if match:
            yield number, f"{match.group(0)}: finish it or file an issue"


def places(file, _repo):
    for number, line in enumerate(file.lines, 1):
        match = MACHINE_PATH.search(line)
        if match:
            yield number, f"{match.group(0)}: a path of one machine"
        match = REGISTRY_HOST.search(line)
        if match:
            yield number, f"{match.group(0)}: a package registry's host"


def banner(file, _repo):
    """A C file opens with a comment of at least two sentences' length: what, why, how it fails."""
    match = re.match(r"/\*(.*?)\*/", file.text, re.DOTALL)
    words = re.findall(r"\w+", match.group(1)) if match else []
    if len(words) < 12:
        yield 1, "no file banner: say what this is, why this way, how it fails"


def public_size(repo):
    files = [file for file in repo.files if file.under("include", "cnode") and file.is_c]
    total = sum(len(file.lines) for file in files)
    if total > PUBLIC_LINES_MAX:
        yield "include/cnode", 1, f"{total} lines in all, {PUBLIC_LINES_MAX} are allowed"
