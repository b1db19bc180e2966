"""The best of some trials."""

from __future__ import annotations

from collections.abc import Iterable

from tuner.records.trial import Trial
from tuner.space.definition import Objective

# A setting may win that was trained for at least this share of the epochs of the deepest one: after
# one epoch of four, a network that names one class only has often the best score of all.
COMPARABLE = 0.5


def winner(trials: Iterable[Trial], objective: Objective) -> Trial:
    """The best of the trials that were trained deep enough; of equal ones the first.

    There must be one with a score.
    """
    return ranked(comparable(trials), objective)[0]


def comparable(trials: Iterable[Trial]) -> list[Trial]:
    """Trials with a score whose settings were trained about as deep as any other."""
    scored = [trial for trial in trials if trial.score is not None]
    deepest = max((trial.depth for trial in scored), default=0)
    return [trial for trial in scored if trial.depth >= COMPARABLE * deepest]


def finalists(
    trials: Iterable[Trial], objective: Objective, n: int, noise: float | None
) -> list[Trial]:
    """The winner, and settings that chance may have put behind it.

    Args:
        trials: Those of a search.
        objective: What was optimised.
        n: How many at most, the winner included.
        noise: Differences up to this one may be chance; None where their size is not known, so that
            any of the best may be as good.
    """
    best = best_settings(comparable(trials), objective, n)
    if noise is None:
        return best
    limit = _cost(best[0], objective) + noise
    return [trial for trial in best if _cost(trial, objective) <= limit]


def best_settings(trials: Iterable[Trial], objective: Objective, n: int) -> list[Trial]:
    """The best trial of each of the `n` best settings, the best first; of equal ones the oldest."""
    found: list[Trial] = []
    for trial in ranked(trials, objective):
        if len(found) < n and not any(_same_setting(trial, other) for other in found):
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


def _same_setting(one: Trial, other: Trial) -> bool:
    return (one.model, one.values) == (other.model, other.values)


def _cost(trial: Trial, objective: Objective) -> float:
    assert trial.score is not None  # `comparable` leaves the others out.
    return objective.cost(trial.score)
