"""A check of the section "Trust"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["pass", "warn", "fail", "not known"]

NOT_TESTED = "No model was retrained and tested."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One row.

    Attributes:
        title: The claim that was checked.
        state: What came of it; `not known` where the run cannot tell.
        fact: The numbers, in words.
        items: What the fact speaks of, each as its name, which is untrusted text, and the rest of
            its line.
    """

    title: str
    state: CheckState
    fact: str
    items: tuple[tuple[str, str], ...] = ()
