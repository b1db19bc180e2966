"""The reference of the Python API, from signatures and docstrings.

`python -m docs.site.api_page > docs/reference/api.md` writes it; a test compares it with the code.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import tuner
from tuner.api.finished_run import FinishedRun

_ORDER = ("Args", "Attributes", "Returns", "Raises", "Example")
_HEADING = re.compile(rf"^({'|'.join(_ORDER)}):\n", re.MULTILINE)
_ENTRY = re.compile(r"^(\S[^:\n]*):[ \n]", re.MULTILINE)
_MOST_LETTERS = 88
_TITLES = {"Args": "Arguments", "Attributes": "Attributes", "Raises": "Errors"}
# `tuner.load` makes these.
_CALLED = {"FinishedRun": "run"}
_PAGE = """\
# Python API

Generated from the docstrings; tests run each example, with `run` for a small run on the digits.
[Use Python instead of the command line](../python.md) and [Read runs in Python](../python_runs.md)
explain how the parts fit together.
"""


def public_objects() -> dict[str, Any]:
    """The public names of `tuner`, and the class of finished runs."""
    found = {name: getattr(tuner, name) for name in tuner.__all__}
    # The package `tuner.search` passes its calls on.
    found["search"] = import_module("tuner.api.search").search
    return {"run": found.pop("run"), "search": found.pop("search"), "load": found.pop("load")} | {
        "FinishedRun": FinishedRun,
        **found,
    }


def members(found: Any) -> Iterator[tuple[str, Any]]:
    """The public members of a class, in its order; of anything else none."""
    if inspect.isclass(found):
        for name, value in vars(found).items():
            if not name.startswith("_"):
                yield name, getattr(value, "__func__", value)


def api_page() -> str:
    """The whole page as Markdown."""
    parts = [_PAGE]
    for name, found in public_objects().items():
        is_class = inspect.isclass(found)
        own = f"tuner.{name}" if name in tuner.__all__ else name
        parts.append(f"## {own}\n")
        parts += _described(own, found.__init__ if is_class else found, found)
        for member, value in members(found):
            parts.append(f"### {name}.{member}\n")
            parts += _described(f"{_CALLED.get(name, own)}.{member}", value, value)
    return "\n".join(parts)


def _described(name: str, called: Any, documented: Any) -> Iterator[str]:
    if callable(called):
        yield f"```python\n{call_text(name, called)}\n```\n"
    summary, sections = _sections(documented)
    if called is not documented:
        # A class: what it takes is said where it is made.
        made = _sections(called)[1]
        sections = {**made, **sections}
    yield f"{summary}\n"
    for heading in _ORDER:
        if heading in sections:
            yield f"{_section(heading, sections[heading])}\n"


def _sections(documented: Any) -> tuple[str, dict[str, str]]:
    """What a docstring says before its sections, and each of these."""
    pieces = _HEADING.split(inspect.getdoc(documented) or "")
    bodies = (textwrap.dedent(body).strip() for body in pieces[2::2])
    return pieces[0].strip(), dict(zip(pieces[1::2], bodies, strict=True))


def call_text(name: str, called: Any) -> str:
    """A call, with each argument on a line of its own where one line is too short."""
    signature = inspect.signature(called)
    kept = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
    words: list[str] = []
    for number, one in enumerate(kept):
        before = kept[number - 1].kind if number else None
        if one.kind is not one.POSITIONAL_ONLY and before is one.POSITIONAL_ONLY:
            words.append("/")
        if one.kind is one.KEYWORD_ONLY and before not in (one.KEYWORD_ONLY, one.VAR_POSITIONAL):
            words.append("*")
        words.append(_argument(one))
    found = signature.return_annotation
    ending = "" if found in (None, "None", signature.empty) else f" -> {found}"
    short = f"{name}({', '.join(words)}){ending}"
    if len(short) <= _MOST_LETTERS:
        return short
    lines = "".join(f"    {word},\n" for word in words)
    return f"{name}(\n{lines}){ending}"


def _argument(one: inspect.Parameter) -> str:
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    kind = "" if one.annotation is one.empty else f": {one.annotation}"
    equals = " = " if kind else "="
    value = json.dumps(one.default) if isinstance(one.default, str) else repr(one.default)
    default = "" if one.default is one.empty else f"{equals}{value}"
    return f"{stars}{one.name}{kind}{default}"


def _section(heading: str, body: str) -> str:
    if heading == "Example":
        return f"```python\n{body}\n```"
    if heading == "Returns":
        return f"**Returns:** {body}"
    pieces = _ENTRY.split(f"{body}\n")
    entries = [
        textwrap.fill(
            f"- `{name}`: {' '.join(text.split())}",
            width=100,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    return f"**{_TITLES[heading]}**\n\n" + "\n".join(entries)


if __name__ == "__main__":
    sys.stdout.write(api_page())
