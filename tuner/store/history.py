"""Whether the entries of a search's log fit together.

A line may be lost, doubled or changed after it was written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tuner.records.trial import NO_BRACKET, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the log.

    Attributes:
        kind: `started`, `ended`, `closed`: nothing is searched any more; or `measured`: what the
            model of an ended trial takes.
        trial: The trial as it was then; None where the log was closed.
        state: What decides the next settings, as it was then; empty for `ended` and `measured`.
    """

    kind: Literal["started", "ended", "closed", "measured"]
    trial: Trial | None = None
    state: dict[str, Any] = field(default_factory=dict)


def ended_trials(entries: Sequence[LogEntry]) -> list[Trial]:
    """The trials that ended, in that order, each with what its model takes if that is known."""
    found = {
        entry.trial.trial_id: entry.trial
        for entry in entries
        if entry.trial is not None and entry.kind in ("ended", "measured")
    }
    return list(found.values())


def first_problem(entries: Sequence[LogEntry]) -> tuple[int, str] | None:
    """The first entry, from 0, that cannot follow those before it, and why; None if all fit."""
    history = _History()
    for number, entry in enumerate(entries):
        if problem := history.take(entry):
            return number, problem
    return None


class _History:
    """The entries so far."""

    def __init__(self) -> None:
        self._started: dict[str, Trial] = {}
        self._ended: dict[str, Trial] = {}
        self._is_closed = False

    def take(self, entry: LogEntry) -> str:
        """Take an entry; why it does not fit, or nothing."""
        if entry.kind == "closed":
            self._is_closed = True
            return ""
        if entry.trial is None:
            return "it names no trial"
        if entry.kind == "measured":
            return self._measure(entry.trial)
        return self._start(entry.trial) if entry.kind == "started" else self._end(entry.trial)

    def _start(self, trial: Trial) -> str:
        expected = f"{len(self._started):04d}"
        if trial.trial_id in self._started:
            return f"trial {trial.trial_id} starts a second time"
        if trial.trial_id != expected:
            return (
                f"trial {trial.trial_id} starts, but trial {expected} should be the next: lines are"
                " missing"
            )
        if self._is_closed:
            return f"trial {trial.trial_id} starts after the end of the search"
        problem = self._odd_setting(trial)
        if not problem:
            self._started[trial.trial_id] = trial
        return problem

    def _odd_setting(self, trial: Trial) -> str:
        lowest = NO_BRACKET if trial.origin else 0
        is_odd = trial.rung < 0 or trial.bracket < lowest
        if is_odd or not 1 <= trial.first_epoch <= trial.last_epoch:
            return f"trial {trial.trial_id} has impossible epochs, rung or bracket"
        if trial.parent_id is not None:
            parent = self._ended.get(trial.parent_id)
            if parent is None:
                return (
                    f"trial {trial.trial_id} continues trial {trial.parent_id}, whose end is"
                    " missing"
                )
            if parent.score is None or parent.values != trial.values:
                return f"trial {trial.trial_id} cannot continue trial {trial.parent_id}"
        return ""

    def _end(self, trial: Trial) -> str:
        started = self._started.get(trial.trial_id)
        if started is None:
            return f"trial {trial.trial_id} ends, but its start is missing"
        if trial.trial_id in self._ended:
            return f"trial {trial.trial_id} ends a second time, with another result"
        if _setting(started) != _setting(trial):
            return f"trial {trial.trial_id} has a start and an end that do not match"
        if (trial.score is None) is (trial.error is None):
            return f"trial {trial.trial_id} ends without one of score and error"
        if trial.score is not None and not math.isfinite(trial.score):
            return f"trial {trial.trial_id} has the score {trial.score}"
        self._ended[trial.trial_id] = trial
        return ""

    def _measure(self, trial: Trial) -> str:
        ended = self._ended.get(trial.trial_id)
        if ended is None or replace(trial, takes=ended.takes) != ended:
            return f"trial {trial.trial_id} has an end and a measurement that do not match"
        return ""


def _setting(trial: Trial) -> Trial:
    """What of a trial is known when it starts."""
    return replace(
        trial,
        score=None,
        error=None,
        epochs=(),
        duration_s=0.0,
        n_parameters=None,
        n_retries=0,
        is_stopped=False,
    )
