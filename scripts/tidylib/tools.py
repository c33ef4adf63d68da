"""Rules that other programs judge: clang-format, mix format, shellcheck.

Each takes all its files in one go and gives (path, line, message). clang-format must be there, as
scripts/setup installs it; mix and shellcheck are asked when they are there. Releases of
clang-format differ in how they lay out macros and casts: Debian 12's alone judges.
"""

import os
import re
import shutil
import subprocess

HARNESS = "erlang_harness"
CLANG_FORMAT_RELEASE = 14


def run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def clang_format_judges():
    """Tell whether the clang-format that is here is the one that the code is laid out with."""
    if shutil.which("clang-format") is None:
        return False
    version = run(["clang-format", "--version"], "/").stdout
    return f"version {CLANG_FORMAT_RELEASE}." in version


def clang_format(files, repo):
    if shutil.which("clang-format") is None:
        yield files[0].path, 1, "clang-format is not installed: run scripts/setup"
        return
    if not clang_format_judges():
        return
    command = ["clang-format", "--dry-run", "-Werror", "--style=file", "--ferror-limit=0"]
    result = run(command + [file.path for file in files], repo.root)
    seen = set()
    for line in result.stderr.splitlines():
        match = re.match(r"(.+?):(\d+):\d+: error: ", line)
        if match and match.group(1) not in seen:
            seen.add(match.group(1))
            yield match.group(1), int(match.group(2)), "run clang-format -i on it"
    if result.returncode != 0 and not seen:
        yield files[0].path, 1, "clang-format failed: " + result.stderr.strip()[:300]


def mix_format(files, repo):
    harness = os.path.join(repo.root, HARNESS)
    if shutil.which("mix") is None or not os.path.exists(os.path.join(harness, "mix.exs")):
        return
    result = run(["mix", "format", "--check-formatted"], harness)
    if result.returncode == 0:
        return
    output = result.stdout + result.stderr
    names = re.findall(r"\*\*? ?(\S+\.exs?)\b", output)
    for name in sorted(set(names)):
        yield f"{HARNESS}/{os.path.relpath(name, harness) if name[0] == '/' else name}", 1, (
            "run mix format"
        )
    if not names:
        yield f"{HARNESS}/mix.exs", 1, "mix format failed: " + output.strip()[:300]


def shellcheck(files, repo):
    if shutil.which("shellcheck") is None:
        return
    command = ["shellcheck", "-x", "--format=gcc"]
    result = run(command + [file.path for file in files], repo.root)
    for line in result.stdout.splitlines():
        match = re.match(r"(.+?):(\d+):\d+: (.*)", line)
        if match:
            yield match.group(1), int(match.group(2)), match.group(3)
