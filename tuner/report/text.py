"""How numbers and free text are written on the page."""

from __future__ import annotations

import functools
import getpass
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tuner.metrics.score_text import MISSING, decimal
from tuner.records.scores import Estimate

# Shorter names of people are words of other things too.
_MIN_USER = 3

_SHOWN_CLASSES = 10

# A text of a document; or what must stay as it is: a tag, or an element with what people named.
_TEXTS = re.compile(
    r"(?P<whole><(?P<tag>bdi|pre|code|script|style|option|svg)\b.*?</(?P=tag)>|<[^>]*>)"
    r"|(?P<text>[^<]+)",
    re.DOTALL,
)
# After these a line break shows nowhere.
_BLOCK_END = re.compile(r"(</(?:dl|div|details|figure|h\d|li|ol|p|table|tbody|thead|tr|ul)>)\n+")
_UNIT = re.compile(r"(?<=[\d\]]) (?=(?:%|ms|kB|MB|GB|points?)(?!\w))")

# Web addresses come first, since they stay whole. A slash that opens a path follows no word, so
# that "s/step" does too; within quotes the names of folders may have spaces. What was left out
# before stays as it is.
_FOLDERS = r"""
    (?P<address>https?://[^\s"'<>]+)
    | (?P<quote>["'])(?P<option>[\w-]*=)?
        (?:~/|(?:file:/+)?(?:[A-Za-z]:[\\/]|\\\\(?=\w)|/)[^"'<>:\n]*[\\/])
        (?:[^"'<>:\n]*[\\/])?(?P<last>[^"'<>:\n\\/]*)(?P=quote)
    | (?:file:/+(?:[A-Za-z]:[\\/]+)?
        |(?<![\w~.\\/…-])(?:[A-Za-z]:[\\/]+|\\\\(?=\w)|~?/(?!/)))(?:[^\s/\\"'<>:]+[\\/]+)+
    | (?<![\w~.\\/…-])~/(?=\w)
"""


def short_percent(share: float, digits: int = 2) -> str:
    """A share, 0 to 1, in per cent without a unit, for axes: `97.05`, `80`."""
    text = decimal(100 * share, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def glued(html: Markup) -> Markup:
    """HTML without line breaks between a number and its unit, or after the end of a block.

    Names, code and what belongs to scripts stay as they are.
    """

    def glue(match: re.Match[str]) -> str:
        return match["whole"] or _UNIT.sub("\u00a0", match["text"])

    return Markup(_BLOCK_END.sub(r"\1", _TEXTS.sub(glue, html)))


def points(difference: float, digits: int = 1) -> str:
    """A difference of two shares in percentage points, signed: `+4.2`.

    There is no sign where it rounds to zero.
    """
    text = decimal(100 * difference, digits)
    if float(text.replace("−", "-")) == 0:
        return text.removeprefix("−")
    return text if text.startswith("−") else f"+{text}"


def interval(low: float, high: float) -> str:
    """The ends of an interval of shares, in per cent: `[76.0, 80.1]`."""
    return f"[{decimal(100 * low, 1)}, {decimal(100 * high, 1)}]"


def points_interval(difference: Estimate) -> str:
    """A difference of shares with its interval: `+3.0 points [+1.2, +4.8]`."""
    return (
        f"{points(difference.value)} points [{points(difference.low)}, {points(difference.high)}]"
    )


def p_text(p_value: float | None) -> str:
    """A p value, of which more digits would say nothing: `0.034`, `< 0.001`."""
    return "< 0.001" if p_value is not None and p_value < 0.001 else decimal(p_value)


def integer(value: int | None) -> str:
    """A count with thousands separated: `28,709`."""
    return MISSING if value is None else f"{value:,}"


def duration(seconds: float) -> str:
    """A duration in the largest unit that keeps two digits: `42 s`, `12.5 min`, `3.2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def minute(started_at: str) -> str:
    """A point in time for tables, to the minute: `2026-11-30 16:27`."""
    return started_at.replace("T", " ")[:16] or MISSING


def file_size(size_bytes: int | None) -> str:
    """A size in decimal units: `2.7 MB`."""
    if size_bytes is None:
        return MISSING
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:,.1f} GB"
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes < 1e6 else f"{size_bytes / 1e6:.1f} MB"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 trial`, `2 trials`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def as_sentence(text: str) -> str:
    """A text with a capital letter and a full stop."""
    return f"{text[0].upper()}{text[1:].removesuffix('.')}."


def class_counts(names: Sequence[str], counts: Sequence[int]) -> str:
    """Classes with their images, in one line: `cat: 12, dog: 9`; of many, the first ten."""
    shown = ", ".join(
        f"{name}: {n:,}" for name, n in zip(names[:_SHOWN_CLASSES], counts, strict=False)
    )
    n_more = len(names) - _SHOWN_CLASSES
    if n_more <= 0:
        return shown
    return (
        f"{shown} and {plural(n_more, 'class', 'classes')} more ({sum(counts[_SHOWN_CLASSES:]):,})"
    )


def value_text(value: Any) -> str:
    """A hyperparameter's value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def values_text(values: Mapping[str, Any]) -> str:
    """Hyperparameters in one line: `filters=32, dropout=0.25`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in values.items())


def without_folders(text: str) -> str:
    """The text with the folders of absolute paths left out.

    A page that is passed on reveals no home folder. Where it is written on the machine of the run,
    the user's name is left out of paths too.
    """
    home, user = _person()
    if home:
        text = re.sub(rf"(?<![\w~.-]){re.escape(home)}(?![\w.-])", "~", text)
    return _folders(user).sub(_cut, text)


@functools.cache
def _person() -> tuple[str, str]:
    """Home folder and name of who writes the page.

    Empty where unknown, or too short to be told from other words.
    """
    try:
        home = str(Path.home())
    except RuntimeError:
        home = ""
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):
        user = ""
    return home if home != Path(home).anchor else "", user if len(user) >= _MIN_USER else ""


@functools.cache
def _folders(user: str) -> re.Pattern[str]:
    of_user = rf"| (?<=[\\/]){re.escape(user)}(?![\w.-])" if user else ""
    return re.compile(_FOLDERS + of_user, re.VERBOSE)


def _cut(match: re.Match[str]) -> str:
    if match["address"]:
        return match["address"]
    if match["quote"]:
        return f"{match['quote']}{match['option'] or ''}…/{match['last']}{match['quote']}"
    return "…/" if match[0][-1] in "\\/" else "…"
