"""The best of some trials."""

from __future__ import annotations

from collections.abc import Iterable

from tuner.records.trial import Trial
from tuner.space.definition import Objective


def winner(trials: Iterable[Trial], objective: Objective) -> Trial:
    """The trial with the best score, of which there must be one; of equal ones the first."""
    return ranked(trials, objective)[0]


def best_settings(trials: Iterable[Trial], objective: Objective, n: int) -> list[Trial]:
    """The best trial of each of the `n` best settings, the best first; of equal ones the oldest."""
    found: list[Trial] = []
    for trial in ranked(trials, objective):
        if len(found) < n and all(trial.values != other.values for other in found):
            found.append(trial)
    return found


def ranked(trials: Iterable[Trial], objective: Objective) -> list[Trial]:
    """Trials with a score, the best first; of equal ones the oldest."""
    good = [
        (objective.cost(trial.score), int(trial.trial_id), trial)
        for trial in trials
        if trial.score is not None
    ]
    return [trial for _, _, trial in sorted(good, key=lambda entry: entry[:2])]
