"""Who may include what: the table and the picture of the architecture.

A layer includes itself, the layers named here, <cnode/*.h> and the C library. Everything that
touches the outside world (sockets, threads, clocks, third-party libraries) is named with the
layers that may touch it.
"""

import fnmatch
import re

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Layer -> the layers it may include. An entry with a slash is one header of that layer.
LAYERS = {
    "base": [],
    "etf": ["base"],
    "dist": ["base", "etf"],
    "net": ["base", "dist"],
    "proc": ["base", "etf", "dist/control.h"],
    "otp": ["base", "etf", "dist", "proc"],
    "crdt": ["base", "etf"],
    "store": ["base"],
    "registry": ["base", "etf", "dist", "proc", "otp", "crdt"],
    "session": ["base", "etf", "dist", "proc", "otp", "crdt", "store", "registry"],
    "minotaur": [],
    "node": [
        "base", "etf", "dist", "net", "proc", "otp", "crdt", "store", "registry", "session",
        "minotaur",
    ],
}

# The part of the C library that computes and does nothing else: all that the public headers, the
# game and programs on the public API may use.
PURE_LIBC = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "stdnoreturn.h", "string.h", "strings.h",
}

# Everything else between < and >: header pattern -> the layers that may include it. The first
# pattern that fits decides.
RESTRICTED = [
    ("cnode/*.h", set(LAYERS) - {"base"}),
    ("ei.h", {"etf"}),
    ("erl_interface.h", set()),
    ("uv.h", {"net"}),
    ("uv/*", {"net"}),
    ("sodium.h", {"base", "dist", "net", "session", "node"}),
    ("openssl/*", {"dist", "net"}),
    ("sqlite3.h", {"store"}),
    ("libpq-fe.h", {"store"}),
    ("hiredis/*", {"store"}),
    ("microhttpd.h", {"node"}),
    ("ut*.h", set(LAYERS) - {"minotaur"}),
    ("sys/socket.h", {"net"}),
    ("netinet/*", {"net"}),
    ("arpa/*", {"net"}),
    ("netdb.h", {"net"}),
    ("net/*", {"net"}),
    ("sys/un.h", {"net"}),
    ("poll.h", {"net"}),
    ("sys/epoll.h", {"net"}),
    ("sys/select.h", {"net"}),
    ("pthread.h", {"base", "net"}),
    ("threads.h", {"net"}),
    ("malloc.h", {"base", "net", "node"}),
    ("unistd.h", {"base", "net", "node", "store"}),
    ("*", {"net", "node", "store"}),
]


def includes(file):
    """Give (line number, "<" or '"', header) of each include."""
    for number, line in enumerate(file.lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def layer_of(file):
    if file.under("cnode") and len(file.folders) > 1:
        return file.folders[1]
    return None


def applies(file):
    return file.is_c and (
        layer_of(file) is not None
        or file.under("include", "cnode")
        or file.under("tests", "nodes")
    )


def check(file, repo):
    layer = layer_of(file)
    if layer is not None and layer not in LAYERS:
        yield 1, f"layer '{layer}' is not in the table of scripts/tidylib/includes.py"
        return
    for number, mark, header in includes(file):
        if header.endswith(".c") or ".." in header.split("/"):
            problem = "include headers only, and by their path from an include root"
        elif layer is None or layer == "minotaur":
            problem = public_problem(file, mark, header)
        elif mark == '"':
            problem = internal_problem(file, repo, layer, header)
        else:
            problem = system_problem(layer, header)
        if problem:
            yield number, f"{header}: {problem}"


def public_problem(file, mark, header):
    """The public headers, the game, and programs on the public API see nothing else of ours."""
    if mark == '"':
        own = file.under("cnode", "minotaur") or file.under("tests", "nodes")
        return None if own and "/" not in header else "only <cnode/*.h> is to be seen from here"
    if header in PURE_LIBC or fnmatch.fnmatch(header, "cnode/*.h"):
        return None
    return "only <cnode/*.h> and the computing part of libc are to be seen from here"


def internal_problem(file, repo, layer, header):
    folder, slash, _ = header.partition("/")
    if not slash:
        own = "/".join(file.folders + [header])
        return None if own in repo.by_path else 'write "layer/file.h"'
    if folder == layer or folder in LAYERS[layer] or header in LAYERS[layer]:
        return None
    return f"{layer}/ may not look at {folder}/"


def system_problem(layer, header):
    if header in PURE_LIBC:
        return None
    for pattern, layers in RESTRICTED:
        if fnmatch.fnmatch(header, pattern):
            return None if layer in layers else f"not for {layer}/ (for: {sorted(layers)})"
    return None
