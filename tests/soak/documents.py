"""Where the fuzzing of documents starts: good spaces, cards and recipes, and ways to spoil them."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]

_OWN_SPACE = """\
version: 1
model: mine.models:build
objective: {name: val_error, direction: min}
space:
  layers: {type: int, min: 1, max: 4}
  units: {type: choice, values: [8, 16, 32], per: layers}
  units_0: 64
  rate: {type: float, min: 1e-4, max: 1e-1, sampling: log}
  share: {type: float, min: 0, max: 0.5, step: 0.1, when: {mode: [b, c]}}
  mode: [a, b, c]
  gate: {type: boolean, when: {mode: a}}
search: {method: random, max_epochs: 3, max_trials: 5}
retrain: {epochs: 4, seeds: 2, patience: 2}
"""
_RECIPE = """\
model: cnn
values: {conv_blocks: 1, filters: 4, dense_units: 8, dropout: 0.2, learning_rate: 0.01, \
batch_size: 20, flip: false}
image: {height: 8, width: 8, channels: 1, class_names: [c0, c1], mean: [64.0], std: [32.0]}
data:
  name: digits
  fingerprint: 0123abcd
  n_train: 48
  n_validation: 16
  n_test: 24
  split: {seed: 3, limit: 64, sizes: {train: 48, validation: 16}, max_train: null, \
max_validation: null, outer: null}
  fold: 0
  background: [255, 255, 255]
seed: 4000000000
max_epochs: 12
patience: 3
schedule: cosine
monitor: val_accuracy
direction: max
epochs: 1
validation_score: 0.3
test_accuracy: null
versions: {tensorflow: 2.21.0, python: 3.11.7}
temperature: 1.25
"""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# Values of every kind, to stand where others belong.
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 10**9, 10**15, -(10**15), 10**30, 10**5000, 0.0, -0.5, 1e-300,
    1e300, 5e-324, "", "x", "a" * 300, "b" * 50_000, "line\nbreak: forged", "\x1b[2J", "\u202e",
    "\u2028", "=cmd()", "../../etc", "/etc/passwd", "~", "C:\\x", "true", "1e5", "cnn",
    "efficientnet_b2", "mine:build", "val_loss", "grid", [], {}, [1], [1, 2, 3], ["a", "b"],
    [True, 1], [[1], [2]], {"a": 1}, {"type": "int", "min": 1, "max": 10**8},
    {"type": "float", "min": 0, "max": 1e9, "step": 1e-9},
    {"type": "choice", "values": list(range(2000))},
    {"type": "int", "min": -(10**15), "max": 10**15, "sampling": "log"},
    {"type": "boolean", "when": {"mode": "a"}}, list(range(3000)),
    {f"k{i}": i for i in range(1500)}, {"<<": {"a": 1}}, {"a\nb": 1}, {"type": "int"},
    {"type": "float", "min": -1e308, "max": 1e308},
    {"type": "float", "min": 0, "max": 1, "step": 1e-300},
)  # fmt: skip
# What only text can say; each stands where a value belongs.
_SNIPPETS = (
    '!!bool "qq"', "!!int x", "!!python/object/apply:os.system [ls]", "!!binary aGVsbG8=",
    "!!timestamp 2001-01-01", "!!set {a, b}", "!!omap [a: 1]", "!mine x", "! x", "&a [*a]",
    "*nothing", "0x1F", "0o17", "0b101", "1_000", "190:20:30", ".inf", "-.INF", ".nan", "1e400",
    "-1e400", "9" * 4000, "1e-5000", "0123", "+1", "2001-12-14", "~", "yes", "{a: 1, a: 2}",
    "{? [1, 2] : 3}", "{? {a: 1} : 3}", "[" * 5000, "[" * 30 + "]" * 30, "{a: " * 40 + "}" * 40,
    "{<<: {a: 1}}", "|\n    text\n    more", '"\\x00"', '"\\u202e"', "'it''s'", "@at", "`tick",
    "%percent", "&x [&y [1, 2], *y, *y]", "&z {a: 1}", "[*z]", "a: b: c", "- 1", "? x", "\t1", "#",
    "!!null", "!<tag:x> 1",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A document.

    Attributes:
        kind: `space`, `card` or `recipe`.
        what: How it was made.
        content: The file's bytes.
        overrides: Changes of a space from the command line.
        is_pipe: Whether a pipe stands in the file's place.
    """

    kind: str
    what: str
    content: bytes
    overrides: tuple[str, ...] = ()
    is_pipe: bool = False

    @property
    def name(self) -> str:
        """The file's name; that of a card is its own."""
        return (
            "digits.yaml"
            if self.kind == "card"
            else "best.yaml"
            if self.kind == "recipe"
            else "my.yaml"
        )

    def place(self, path: Path) -> None:
        """Write the file."""
        if self.is_pipe:
            os.mkfifo(path)
        else:
            path.write_bytes(self.content)


@cache
def good(kind: str) -> tuple[str, ...]:
    """Good documents of a kind."""
    if kind == "recipe":
        return (_RECIPE,)
    if kind == "card":
        names = ("fer2013", "facial_expressions", "cats_dogs", "drawn_faces")
        texts = [(ROOT / f"datasets/{name}.yaml").read_text(encoding="utf-8") for name in names]
        return tuple(
            text.replace(f"name: {name}\n", "name: digits\n")
            for name, text in zip(names, texts, strict=True)
        )
    spaces = [
        ROOT / f"search_spaces/{name}.yaml" for name in ("digits", "fer2013", "efficientnet_b2")
    ]
    return (_OWN_SPACE, *(path.read_text(encoding="utf-8") for path in spaces))


def specials() -> Iterator[Case]:
    """The cases made by hand: each of them once took minutes, or a traceback."""
    own = _OWN_SPACE
    for kind in ("space", "card", "recipe"):
        for what, text in _special_texts().items():
            yield Case(kind=kind, what=what, content=text)
        yield Case(kind=kind, what="pipe", content=b"", is_pipe=True)
    many = "\n".join(
        f"  p{i}: {{type: int, min: 1, max: 9, when: {{q{i}: 1}}}}" for i in range(400)
    )
    spaces = {
        "400 unknown parents": f"version: 1\nmodel: a:b\nspace:\n{many}\n",
        "400 unknown names": (
            "version: 1\nspace:\n" + "\n".join(f"  {'n' * 60}{i}: 1" for i in range(400))
        ),
        "600 names": (
            "version: 1\nmodel: a:b\nspace:\n" + "\n".join(f"  n{i}: 1" for i in range(600))
        ),
        "chain of 400": (
            "version: 1\nmodel: a:b\nspace:\n  p0: [1, 2]\n"
            + "\n".join(
                f"  p{i}: {{type: choice, values: [1, 2], when: {{p{i - 1}: 1}}}}"
                for i in range(1, 400)
            )
        ),
        "circle of 400": (
            "version: 1\nmodel: a:b\nspace:\n"
            + "\n".join(
                f"  p{i}: {{type: choice, values: [1, 2], when: {{p{(i + 1) % 400}: 1}}}}"
                for i in range(400)
            )
        ),
        "per huge": own.replace("max: 4}", "max: 100000000}"),
        "per of per": own.replace("per: layers", "per: units"),
        "100 blocks of 100 names": (
            "version: 1\nmodel: a:b\nspace:\n  n: {type: int, min: 1, max: 100}\n"
            + "\n".join(f"  p{i}: {{type: choice, values: [1, 2], per: n}}" for i in range(100))
        ),
        "a billion steps": own.replace("max: 0.5, step: 0.1", "max: 1e9, step: 1e-9"),
        "steps of nothing": own.replace("max: 0.5, step: 0.1", "max: 1, step: 1e-300"),
        "wrong values": (
            "version: 1\nspace:\n"
            + "\n".join(
                f"  {name}: [{', '.join(['x' * 30] * 900)}]"
                for name in ("optimizer", "pooling", "imbalance")
            )
        ),
        "name of 5,000 digits": own.replace("units_0", f"units_{'9' * 900}"),
        "a million trials": own.replace("max_trials: 5", "max_trials: 100000000000"),
        "endless epochs": own.replace("epochs: 4", "epochs: 100000000000"),
    }
    yield from (
        Case(kind="space", what=what, content=text.encode()) for what, text in spaces.items()
    )
    for override in (
        "space.layers.max=1e400", "space.layers=&a [*a]", "space.layers=!!set {a}",
        f"space.layers={'[' * 3000}", f"space.layers={'9' * 5000}", "space.x\nforged.yaml:1: y=1",
        "space.units.per=rate", f"{'a.' * 3000}b=1", "space.layers.max=100000000", "=", "space",
        "space.mode.7=1", "space.share.when.q.w=1", "version.x=1",
        f"space.layers={{a: {'x' * 100_000}}}", "space.rate.min=\x00", "space.mode=[\x1b[2J]",
        "retrain=&a {x: *a}",
    ):  # fmt: skip
        yield Case(
            kind="space",
            what=f"--set {override[:40]!r}",
            content=own.encode(),
            overrides=(override,),
        )


def _special_texts() -> dict[str, bytes]:
    bomb = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    texts = {
        "alias bomb": f"a0: &a0 [{', '.join('x' * 10)}]\n{bomb}",
        "merge bomb": (
            "a0: &a0 {k: 1}\n"
            + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40))
        ),
        "deep aliases": (
            "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 400))
        ),
        "brackets": "a: " + "[" * 900_000,
        "braces": "{a: " * 200_000,
        "deep blocks": "\n".join(" " * i + "a:" for i in range(1200)),
        "dashes": "- " * 300_000,
        "one line": "a: " + "x" * 990_000,
        "words": "a: " + "x " * 490_000,
        "quotes": 'a: "' + "\\x41" * 200_000,
        "comments": "#" * 990_000,
        "items": "[" + "1," * 450_000 + "]",
        "keys": "\n".join(f"k{i}: 1" for i in range(60_000)),
        "same key": "k: 1\n" * 40_000,
        "unknown keys": "\n".join(f"{'k' * 30}{i}: {{}}" for i in range(9_000)),
        "anchors": "\n".join(f"k{i}: &a{i} 1" for i in range(30_000)),
        "questions": "? " * 100_000,
        "two documents": "a: 1\n---\nb: 2\n",
        "too large": "a: 1\n" * 400_000,
        "tabs": "a:\n\tb: 1\n",
        "directive": "%YAML 9.9\n---\na: 1\n",
        "tag directive": "%TAG ! tag:evil,2000:\n---\na: !x 1\n",
        "empty": "",
        "list": "[1, 2]",
        "text": "hello",
        "null": "~",
        "forged": '"a\\nmy.yaml:1: forged": 1\n',
    }
    found = {what: text.encode() for what, text in texts.items()}
    return found | {
        "UTF-16": "a: 1\n".encode("utf-16"),
        "Latin-1": b"a: 1\nb: caf\xe9\n",
        "NUL": b"a: 1\n\0\n",
        "zeros": bytes(900_000),
        "byte order marks": b"\xef\xbb\xbf\xef\xbb\xbfa: 1\n",
        "carriage returns": b"a: 1\r\nb: [\r\n",
    }


def mutated(rng: random.Random) -> Case:
    """A case that chance makes."""
    kind = rng.choice(("space", "space", "card", "recipe"))
    text = rng.choice(good(kind))
    ways: list[Callable[[random.Random, str], str]] = []
    if rng.random() < 0.75:
        for _ in range(rng.choice((1, 1, 1, 2, 4, 12))):
            ways.append(
                rng.choice(
                    (_replace_value, _replace_value, _put_snippet, _rename_key, _drop_key, _add_key)
                )
            )
    else:
        ways += rng.choices(
            (_cut, _swap, _repeat_line, _shift_line, _put_letters, _break_lines),
            k=rng.randint(1, 3),
        )
    for way in ways:
        text = way(rng, text)
    what = ", ".join(dict.fromkeys(way.__name__.strip("_") for way in ways))
    return Case(kind=kind, what=what, content=text.encode("utf-8", "surrogateescape"))


def _replace_value(rng: random.Random, text: str) -> str:
    return _edited(
        rng, text, lambda parent, key: _set(parent, key, copy.deepcopy(rng.choice(_VALUES)))
    )


def _put_snippet(rng: random.Random, text: str) -> str:
    marked = _edited(rng, text, lambda parent, key: _set(parent, key, "SNIPPET"))
    return marked.replace("SNIPPET", rng.choice(_SNIPPETS), 1)


def _rename_key(rng: random.Random, text: str) -> str:
    def rename(parent: Any, key: Any) -> None:
        if isinstance(parent, dict):
            name = str(key)
            at = rng.randrange(len(name) + 1)
            parent[f"{name[:at]}{rng.choice(('x', '_9', ' ', 'é', '=', ''))}{name[at + 1 :]}"] = (
                parent.pop(key)
            )

    return _edited(rng, text, rename)


def _drop_key(rng: random.Random, text: str) -> str:
    return _edited(rng, text, lambda parent, key: parent.pop(key))


def _add_key(rng: random.Random, text: str) -> str:
    def add(parent: Any, key: Any) -> None:
        value = copy.deepcopy(rng.choice(_VALUES))
        if isinstance(parent, dict):
            name = rng.choice(
                ("per", "when", "step", "min", "max", "values", "type", "dropout", "x", "filters_9")
            )
            parent[name] = value
        else:
            parent.insert(rng.randrange(len(parent) + 1), value)

    return _edited(rng, text, add)


def _set(parent: Any, key: Any, value: Any) -> None:
    parent[key] = value


def _edited(rng: random.Random, text: str, edit: Callable[[Any, Any], object]) -> str:
    """The text after a change of its values at a random place; unchanged if it is not YAML."""
    try:
        data = yaml.load(text, _LOADER)
        places = list(_places(data))
        if places:
            edit(*rng.choice(places))
        return str(
            yaml.dump(data, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=10**9)
        )
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, KeyError):
        # PyYAML's own reader raises whatever it meets.
        return text


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in list(items)[:200]:
        yield data, key
        yield from _places(value)


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _swap(rng: random.Random, text: str) -> str:
    letters = list(text) or [" "]
    for _ in range(rng.randint(1, 8)):
        letters[rng.randrange(len(letters))] = rng.choice(
            "{}[]:,&*!|>'\"%@`#-? \n\t\r\0\x07é\udcff0123456789"
        )
    return "".join(letters)


def _repeat_line(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    return "\n".join([*lines[:at], *[lines[at]] * rng.choice((2, 3, 3000)), *lines[at + 1 :]])


def _shift_line(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    lines[at] = rng.choice(("  ", " ", "\t", "- ", "    ")) + lines[at].lstrip(
        rng.choice((" ", ""))
    )
    return "\n".join(lines)


def _put_letters(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return (
        text[:at] + rng.choice((*_SNIPPETS, "\ufeff", "\u2028", "\x85", "x" * 70_000)) + text[at:]
    )


def _break_lines(rng: random.Random, text: str) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\u2028")))
