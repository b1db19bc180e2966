"""Ways to damage a file of a run: its bytes, what they say, and what lies in its place."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.soak import mutations

Damage = Callable[[random.Random, Path], None]

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, float("nan"), float("inf"), 10**40, "", "NaN", "\ud800",
    "\x1b[2J\n", "a" * 5000, [], {}, [[]], {"": {}}, [None, 1], {"a": [1]}, "2026-01-01", "no", 99,
    2**63,
)  # fmt: skip


def gone(rng: random.Random, path: Path) -> None:
    """Delete it."""
    path.unlink()


def emptied(rng: random.Random, path: Path) -> None:
    """Leave nothing in it."""
    path.write_bytes(b"")


def folder(rng: random.Random, path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()
    (path / "something").write_text("good")


def link(rng: random.Random, path: Path) -> None:
    """Put a link in its place that leads nowhere, or to itself."""
    path.unlink()
    path.symlink_to(rng.choice((Path("nowhere"), path.name)))


def pipe(rng: random.Random, path: Path) -> None:
    """Put a pipe in its place, in which nobody writes."""
    path.unlink()
    os.mkfifo(path)


def binary(rng: random.Random, path: Path) -> None:
    """Fill it with noise, or zeros."""
    path.write_bytes(
        rng.choice((rng.randbytes(rng.randrange(1, 5000)), bytes(rng.randrange(1, 5000))))
    )


def deep(rng: random.Random, path: Path) -> None:
    """Nest it deeply."""
    path.write_bytes(rng.choice((b"[", b'{"a":', b"- ", b"[[{")) * rng.choice((500, 5000, 100_000)))


def blind(rng: random.Random, path: Path) -> None:
    """Change bytes without a look at them."""
    data = path.read_bytes()
    path.write_bytes(
        rng.choice((*mutations.BLIND, mutations.edit_header, mutations.edit_member))(
            rng, data, data[::-1]
        )
    )


def texts(rng: random.Random, path: Path) -> None:
    """Put words and marks into it, or encode it otherwise."""
    try:
        path.write_bytes(mutations.edit_text(rng, path.read_bytes(), b""))
    except UnicodeDecodeError:
        blind(rng, path)


def lines(rng: random.Random, path: Path) -> None:
    """Double, drop, swap or cut lines; or give all of them Windows line ends, or add a BOM."""
    found = path.read_bytes().splitlines(keepends=True) or [b""]
    at, other = rng.randrange(len(found)), rng.randrange(len(found))
    match rng.randrange(7):
        case 0:
            found.insert(other, found[at])
        case 1:
            del found[at]
        case 2:
            found[at], found[other] = found[other], found[at]
        case 3:
            found[at] = found[at][: rng.randrange(len(found[at]) + 1)] + b"\n"
        case 4:
            found = [line.replace(b"\n", b"\r\n") for line in found]
        case 5:
            found.insert(0, b"\xef\xbb\xbf")
        case 6:
            found.insert(
                at,
                rng.choice(
                    (b"\n", b"3\n", b"null\n", b"[]\n", b"{}\n", b'{"event": 3}\n', b"\0\0\0\n")
                ),
            )
    path.write_bytes(b"".join(found))


def values(rng: random.Random, path: Path) -> None:
    """Put a value of another kind somewhere into what JSON, JSON Lines or YAML says."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            parts = text.splitlines()
            at = rng.randrange(len(parts))
            parts[at] = json.dumps(_changed(rng, json.loads(parts[at])))
            path.write_text("\n".join(parts) + "\n")
        elif path.suffix == ".json":
            path.write_text(json.dumps(_changed(rng, json.loads(text))))
        elif path.suffix == ".yaml":
            path.write_text(yaml.dump(_changed(rng, yaml.safe_load(text))))
        else:
            cells(rng, path)
    except (ValueError, yaml.YAMLError):
        blind(rng, path)


def cells(rng: random.Random, path: Path) -> None:
    """Put another value into a cell of a table; of any other file, change bytes."""
    if path.suffix != ".csv":
        blind(rng, path)
        return
    rows = [row.split(",") for row in path.read_text(encoding="utf-8").splitlines()]
    row = rng.choice(rows)
    row[rng.randrange(len(row))] = rng.choice(
        ("", "nan", "-1", "1e999", "x", '"', "[[", "9" * 5000, "a,b", "0001")
    )
    path.write_text("\n".join(map(",".join, rows)) + "\n")


def _changed(rng: random.Random, plain: Any) -> Any:
    """The same with another value, another key, or without a key, somewhere."""
    if isinstance(plain, dict) and plain and rng.random() < 0.9:
        key = rng.choice(sorted(plain))
        match rng.randrange(12):
            case 0:
                return {name: value for name, value in plain.items() if name != key}
            case 1:
                return plain | {f"{key}x": plain[key]}
            case _:
                return plain | {key: _changed(rng, plain[key])}
    if isinstance(plain, list) and plain and rng.random() < 0.9:
        at = rng.randrange(len(plain))
        match rng.randrange(8):
            case 0:
                return plain[:at] + plain[at + 1 :]
            case 1:
                return [*plain, plain[at]]
            case _:
                return [*plain[:at], _changed(rng, plain[at]), *plain[at + 1 :]]
    return rng.choice(_VALUES)


DAMAGES: tuple[Damage, ...] = (
    gone, emptied, folder, link, pipe, binary, deep, blind, blind, blind, texts, texts, lines,
    lines, lines, values, values, values, values, values, cells, cells,
)  # fmt: skip
