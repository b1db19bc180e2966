"""Which lines of a Markdown or YAML file are prose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.documentation.word_rules import MAX_LINE, Finding

_FENCE = re.compile(r"^\s*(```|~~~)")
# A line that is too long for one link or one code span cannot be wrapped.
_UNBREAKABLE = re.compile(r"^\s*(?:[-*]\s+|\d+\.\s+)?\S+$")


def prose(text: str) -> str:
    """A Markdown text with its code blocks left empty; line numbers stay."""
    lines, in_code = list[str](), False
    for line in text.splitlines():
        if _FENCE.match(line):
            in_code = not in_code
            lines.append("")
        else:
            lines.append("" if in_code else line)
    return "\n".join(lines)


def find_long_lines(text: str) -> Iterator[Finding]:
    """Lines of prose beyond the limit: no tables, no code, nothing that cannot be wrapped."""
    for number, line in enumerate(prose(text).splitlines(), start=1):
        is_table = line.lstrip().startswith("|")
        is_link = _UNBREAKABLE.match(re.sub(r"\[[^\]]*\]\([^)]*\)", "link", line))
        if len(line) > MAX_LINE and not is_table and not is_link:
            yield Finding(number, f"{len(line)} characters; wrap prose at {MAX_LINE}")


def comments(text: str) -> str:
    """The comments of a YAML file, at their lines; the rest is empty."""
    return "\n".join(_comment(line) for line in text.splitlines())


def _comment(line: str) -> str:
    match = re.search(r"(?:^|\s)#\s?(.*)$", line)
    return match[1] if match else ""


def find_long_comments(text: str) -> Iterator[Finding]:
    """Lines of a YAML file with a comment that reaches beyond the limit."""
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > MAX_LINE and _comment(line) and "$schema" not in line:
            yield Finding(number, f"{len(line)} characters; wrap comments at {MAX_LINE}")
