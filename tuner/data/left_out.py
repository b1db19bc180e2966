"""What was found beside the images: every file is one of these, used, or unreadable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

# What is counted, as one.
Unit = Literal["file", "row", "column", "image", "array"]

# Files that were left out for one reason, and that are named.
SHOWN_NAMES = 10

# The reasons, as they follow "3 files left out, ".
SYSTEM = "hidden or made by the system"
NO_IMAGES = "not images"
NO_CLASS = "in no class folder"
NO_PART = "in a folder that is not a part of the split"
BESIDE = "beside the folder that is read"
DANGLING = "since the link leads nowhere"
LOOP = "behind a link to a folder that is already read"
TOO_DEEP = "too many folders deep"
OWN = "folders that tuner makes"
UNNAMED = "whose names tell no class"


class Aside(NamedTuple):
    """One file or folder that is not used: why, its path, and its number of files.

    The path of a folder ends with /.
    """

    reason: str
    name: str
    n_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What is not used for one reason.

    Attributes:
        reason: In a few words.
        names: Paths of the first files and folders; a folder's ends with `/`.
        n_names: How many there are in all.
        n_files: Files in them; or rows, columns, arrays.
        unit: What is counted, as one: `file`, `row`, `column`, `image` or `array`.
    """

    reason: str
    names: tuple[str, ...]
    n_names: int
    n_files: int
    unit: Unit = "file"

    @property
    def text(self) -> str:
        """One line, with names."""
        n_more = self.n_names - len(self.names)
        more = f" and {n_more:,} more" if n_more else ""
        return f"{self.count}: {', '.join(self.names)}{more}"

    @property
    def count(self) -> str:
        """How many files, and why."""
        things = f"{self.n_files:,} {self.unit}{'' if self.n_files == 1 else 's'}"
        if self.reason == NO_IMAGES:
            one = self.n_files == 1
            return (
                f"{things} {'is not an image and is' if one else 'are not images and are'} ignored"
            )
        return f"{things} left out, {self.reason}"


def left_out(reason: str, names: Sequence[str], unit: Unit) -> tuple[LeftOut, ...]:
    """A record of things that are left out for one reason; none where there is no name."""
    if not names:
        return ()
    n = len(names)
    return (
        LeftOut(reason=reason, names=tuple(names[:SHOWN_NAMES]), n_names=n, n_files=n, unit=unit),
    )


def fold(found: Iterable[Aside]) -> tuple[LeftOut, ...]:
    """One record for each reason, in the order in which they come up."""
    by_reason: dict[str, list[Aside]] = {}
    for aside in found:
        by_reason.setdefault(aside.reason, []).append(aside)
    return tuple(
        LeftOut(
            reason=reason,
            names=tuple(aside.name for aside in asides[:SHOWN_NAMES]),
            n_names=len(asides),
            n_files=sum(aside.n_files for aside in asides),
        )
        for reason, asides in by_reason.items()
    )


def in_short(left_out: Sequence[LeftOut]) -> str:
    """A line for the beginning of a run; empty where only the system's own files are left out."""
    told = [one for one in left_out if one.reason not in (SYSTEM, OWN)]
    files = [f"{one.n_files:,} {one.reason} ({_few(one)})" for one in told if one.unit == "file"]
    others = [f"{one.count} ({_few(one)})" for one in told if one.unit != "file"]
    return "; ".join([*([f"files left out: {'; '.join(files)}"] if files else []), *others])


def _few(one: LeftOut) -> str:
    return ", ".join(one.names[:2]) + (f" and {one.n_names - 2:,} more" if one.n_names > 2 else "")
