"""What the data doctor says before a run, and data on which it refuses one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tuner.data.cards.card import Card
from tuner.data.images import Images
from tuner.doctor.examine import examine
from tuner.doctor.findings import Examination, Finding
from tuner.errors import DataError

# Lines that `run` says about its data.
MAX_NOTICES = 4

# `run` names every file that it skips, in its own words.
_TOLD_BY_RUN = frozenset({"unreadable"})


def refuse_worthless(examination: Examination) -> None:
    """Let no result be made that would mean nothing.

    Raises:
        DataError: If results would be worthless, with every reason.
    """
    reasons = examination.errors
    if reasons:
        summaries = "\n".join(f"  {finding.summary}" for finding in reasons)
        raise DataError(
            f"{examination.name}: results would be worthless:\n{summaries}", reasons[0].advice
        )


def check_before_run(images: Images, card: Card, target: str) -> list[str]:
    """Examine loaded images, and refuse what would make results worthless.

    Args:
        images: All images of the data set.
        card: Its card.
        target: What you called it: a card's name, or a path.

    Returns:
        What you should know before a run: at most four lines.

    Raises:
        DataError: If results would be worthless, with every reason.
    """
    examination = examine(images, card)
    refuse_worthless(examination)
    return notices(examination.findings, target)


def notices(findings: Sequence[Finding], target: str) -> list[str]:
    """What you should know before a run, a line each; the last one counts what is left out.

    Args:
        findings: The most important first.
        target: What you called the data set; `datasets check` understands it too.
    """
    told = [
        f.summary.rstrip(".")
        for f in findings
        if f.severity == "warning" and f.code not in _TOLD_BY_RUN
    ]
    if len(told) <= MAX_NOTICES:
        return told
    n_left = len(told) - MAX_NOTICES + 1
    return [
        *told[: MAX_NOTICES - 1],
        f"{n_left} findings more: python -m tuner datasets check {shlex.quote(target)}",
    ]
