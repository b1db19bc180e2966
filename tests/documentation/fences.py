"""Blocks of code in Markdown, and the command lines in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPENING = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})\s*(?P<language>\S*)")
# Languages whose lines are typed into a shell; a notebook's cell types them after "!" or "%".
SHELLS = ("bash", "bat", "console", "ipython")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of code.

    Attributes:
        line: The number of its opening fence's line, from 1.
        language: The word behind the opening fence; "" if there is none.
        text: What it holds, without the fence's indentation.
    """

    line: int
    language: str
    text: str


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text, in their order."""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if match := _OPENING.match(line):
            held = list[str]()
            for _, inner in lines:
                if inner.strip() == match["fence"]:
                    break
                held.append(inner.removeprefix(match["indent"]))
            yield Block(
                line=number, language=match["language"], text="".join(f"{x}\n" for x in held)
            )


def typed_lines(block: Block) -> Iterator[str]:
    """What you type into a shell: no comments, no output, continued lines as one."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        if block.language == "ipython" and line[:1] not in ("!", "%"):
            continue
        typed = line.removeprefix("$ ") if block.language == "console" else line
        if typed.strip() and not typed.lstrip().startswith("#"):
            yield typed.removeprefix("!").strip()


def without_blocks(text: str) -> str:
    """The text with all of its blocks left out."""
    lines = text.splitlines()
    for block in blocks(text):
        n = block.text.count("\n") + 2
        lines[block.line - 1 : block.line - 1 + n] = [""] * n
    return "\n".join(lines)
