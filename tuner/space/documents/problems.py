"""Mistakes of a file: one line each, the first ten of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tuner.errors import ConfigurationError
from tuner.names import one_line

# A file of another kind has a mistake in every line; nobody reads them all.
MAX_SHOWN = 10
_MAX_LETTERS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a file.

    Attributes:
        where: `file:line`, or only the file's name where no line is known.
        message: What is wrong and what was expected.
        hint: How to fix it; may be empty. A function where it takes time to find: it is called only
            for mistakes that are printed.
    """

    where: str
    message: str
    hint: str | Callable[[], str] = ""

    def __str__(self) -> str:
        return f"{self.line}\n  Fix: {self.fix}" if self.fix else self.line

    @property
    def fix(self) -> str:
        """The hint as one line; empty where there is none."""
        return one_line(_cut(self.hint() if callable(self.hint) else self.hint))

    @property
    def line(self) -> str:
        """Where and what: one line, whatever names are in it."""
        return one_line(f"{_cut(self.where)}: {_cut(self.message)}")


def raise_problems(problems: Iterable[Problem], remedy: str = "") -> None:
    """Raise the mistakes of a file as one error, the first ten in full.

    Does nothing where there are none.

    Args:
        problems: The mistakes, in the order in which they are told.
        remedy: How to fix the last one where it has no hint of its own.

    Raises:
        ConfigurationError: With one message per problem, in the order given, and the number of
            those left out.
    """
    found = list(problems)
    if not found:
        return
    shown, n_left = found[:MAX_SHOWN], len(found) - MAX_SHOWN
    if n_left > 0:
        name = shown[-1].where.rpartition(":")[0] or shown[-1].where
        more = f"{name}: {n_left:,} more mistake{'s' * (n_left > 1)}."
        text = "\n".join([*map(str, shown), one_line(_cut(more))])
        raise ConfigurationError(text, "correct these first, then check the file again.")
    *others, last = shown
    raise ConfigurationError("\n".join([*map(str, others), last.line]), last.fix or remedy)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LETTERS else f"{text[: _MAX_LETTERS - 3]}..."
