"""The work tree as the rules see it: files that git knows or does not ignore, and their text.

Without git (an exported tree) every file counts, except in folders that only builds make.
Comments and strings can be blanked out, so that rules look at code alone; lines keep their
numbers and columns.
"""

import functools
import os
import re
import subprocess

BUILD_FOLDERS = {".git", "build", "_build", "deps", ".cache", "__pycache__"}
C_TOKENS = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
ELIXIR_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\])*"|\?["#]|#(?!\{)[^\n]*', re.DOTALL
)


def blank(match):
    """Replace what matched with spaces, line breaks kept."""
    return re.sub(r"[^\n]", " ", match.group(0))


class File:
    def __init__(self, root, path):
        self.path = path
        self.full_path = os.path.join(root, path)
        self.folders = path.split("/")[:-1]
        self.name = path.split("/")[-1]
        self.extension = os.path.splitext(self.name)[1]

    @functools.cached_property
    def text(self):
        with open(self.full_path, "rb") as handle:
            data = handle.read()
        return "" if b"\0" in data else data.decode("utf-8", "replace")

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def code(self):
        """The text with comments and strings blanked out."""
        if self.is_c:
            return C_TOKENS.sub(blank, self.text)
        if self.is_elixir:
            return ELIXIR_TOKENS.sub(blank, self.text)
        return self.text

    @functools.cached_property
    def code_lines(self):
        return self.code.splitlines()

    @property
    def is_c(self):
        return self.extension in (".c", ".h")

    @property
    def is_elixir(self):
        return self.extension in (".ex", ".exs")

    @functools.cached_property
    def is_shell(self):
        return self.extension == ".sh" or self.first_line_names("sh")

    @functools.cached_property
    def is_python(self):
        return self.extension == ".py" or self.first_line_names("python")

    @property
    def is_source(self):
        return (
            self.is_c
            or self.is_elixir
            or self.is_shell
            or self.is_python
            or self.name in ("meson.build", "meson_options.txt")
        )

    def first_line_names(self, interpreter):
        """Tell whether a file without an extension starts with such a #! line."""
        if self.extension or not self.text.startswith("#!"):
            return False
        return interpreter in self.lines[0]

    def under(self, *folders):
        return self.folders[: len(folders)] == list(folders)


class Repo:
    def __init__(self, root):
        self.root = root
        self.files = [File(root, path) for path in sorted(list_paths(root))]
        self.by_path = {file.path: file for file in self.files}


def list_paths(root):
    git = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    ) if os.path.exists(os.path.join(root, ".git")) else None
    if git is not None and git.returncode == 0:
        paths = set(filter(None, git.stdout.split("\0")))
    else:
        paths = walk(root)
    return [path for path in paths if os.path.isfile(os.path.join(root, path))]


def walk(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in BUILD_FOLDERS]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)
