"""A refined space as a comparison of old and new for people, and as a record for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tuner.commands.refine import Refined
from tuner.report.text import plural


def refined_lines(refined: Refined) -> Iterator[str]:
    """Each change with its reason, then what to do next."""
    for name, reason in refined.families.reasons.items():
        yield f"{name}: left out"
        yield f"    {reason}"
    for change in refined.changes:
        yield f"{change.name}: {change.what}"
        yield from (f"  - {text}" for text in change.before)
        yield from (f"  + {text}" for text in change.after)
        yield f"    {change.reason}"
    yield f"{plural(refined.n_unchanged, 'hyperparameter')} unchanged"
    if refined.note:
        yield f"note: {refined.note}"
    yield f"Search it: {refined.command}"


def refined_record(refined: Refined) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "space": refined.path.as_posix(),
        "models": list(refined.families.names),
        "families_left_out": refined.families.reasons,
        "changes": [asdict(change) for change in refined.changes],
        "n_unchanged": refined.n_unchanged,
        "note": refined.note,
        "command": refined.command,
    }
