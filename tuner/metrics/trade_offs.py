"""Settings that no other one beats in score and costs at once, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tuner.errors import ConfigurationError
from tuner.metrics.ranking import best_settings, comparable
from tuner.metrics.score_text import score_text
from tuner.records.trial import Trial
from tuner.space.costs import COSTS, Limit, keeps
from tuner.space.definition import Objective

# Two latencies are level where nine of ten settings have differed as much from themselves.
_NOISE_QUANTILE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A setting to choose from: it was trained about as long as any other, and measured.

    Attributes:
        trial: Its best trial.
        score: That trial's.
        costs: What its model takes, in the order of the objectives after the score.
    """

    trial: Trial
    score: float
    costs: tuple[float, ...]


def options(trials: Sequence[Trial], objective: Objective, costs: Sequence[str]) -> list[Option]:
    """The settings to choose from, the best score first; those not measured are left out.

    Args:
        trials: Those of a search.
        objective: The score.
        costs: Names of `COSTS`.
    """
    found = []
    for trial in best_settings(comparable(trials), objective, len(trials)):
        takes = [COSTS[name].of(trial.takes) for name in costs]
        known = tuple(cost for cost in takes if cost is not None)
        if trial.score is not None and len(known) == len(costs):
            found.append(Option(trial=trial, score=trial.score, costs=known))
    return found


def latency_noise(trials: Iterable[Trial]) -> float:
    """The share by which two latencies may differ by chance; 0 where nothing was measured twice."""
    spreads = [trial.takes.latency_spread for trial in trials if trial.parent_id is None]
    known = [spread for spread in spreads if spread is not None]
    return float(np.quantile(known, _NOISE_QUANTILE)) if known else 0.0


def front(
    options: Sequence[Option], objective: Objective, costs: Sequence[str], noise: float
) -> list[Option]:
    """The options that no other one dominates, the best score first.

    One dominates another if it is no worse in any objective and better in at least one. Costs that
    are measured are level where they differ by the noise. So that a row of neighbours, each level
    with the next, does not pull down its far end, only options that are on the front dominate.

    Args:
        options: From `options`, the best score first.
        objective: The score.
        costs: The names of their costs.
        noise: Share by which measured costs may differ by chance.
    """
    margins = [1 + noise * COSTS[name].is_measured for name in costs]
    # Of equal scores the cheapest first.
    ordered = sorted(options, key=lambda option: (objective.cost(option.score), option.costs))
    found: list[Option] = []
    for option in ordered:
        if not any(_dominates(other, option, objective, margins) for other in found):
            found = [other for other in found if not _dominates(option, other, objective, margins)]
            found.append(option)
    return found


def _dominates(one: Option, other: Option, objective: Objective, margins: Sequence[float]) -> bool:
    pairs = list(zip(one.costs, other.costs, margins, strict=True))
    if objective.better(other.score, one.score) or any(a > b * m for a, b, m in pairs):
        return False
    is_better = objective.better(one.score, other.score) or any(a * m < b for a, b, m in pairs)
    # What is level in everything is one choice, not two.
    return is_better or one.score == other.score


def within(trials: Iterable[Trial], limits: Sequence[Limit]) -> list[Trial]:
    """The trials whose models are known to keep all limits; all of them without any."""
    return [trial for trial in trials if keeps(limits, trial.takes)]


def chosen(trials: Sequence[Trial], objective: Objective, limits: Sequence[Limit]) -> Trial | None:
    """The best by its score among the settings that keep the limits; None where none does.

    Only settings count that were trained about as long as any other.
    """
    found = within(comparable(trials), limits)
    return best_settings(found, objective, 1)[0] if found else None


def none_chosen(
    trials: Sequence[Trial], objective: Objective, limits: Sequence[Limit], remedy: str
) -> ConfigurationError:
    """That no setting keeps the limits, with the one that is nearest to them.

    Args:
        trials: Those of the search.
        objective: The score.
        limits: What was asked for.
        remedy: How to go on with other limits.
    """
    asked = ", ".join(limit.words for limit in limits)
    settings = best_settings(comparable(trials), objective, len(trials))
    found = [(_excess(trial, limits), trial) for trial in settings]
    known = [(excess, trial) for excess, trial in found if excess is not None]
    if not known:
        return ConfigurationError(
            f"--choose {asked}: the costs of this run's models were not measured", remedy
        )
    _, nearest = min(known, key=lambda entry: entry[0])
    takes = ", ".join(f"{limit.name} {_value(limit, nearest):,.4g}" for limit in limits)
    score = score_text(nearest.score, objective.name, 2)
    return ConfigurationError(
        f"--choose {asked}: none of {len(known)} settings is within all limits; the nearest is"
        f" trial {nearest.trial_id} with {takes} ({objective.name} {score})",
        remedy,
    )


def _excess(trial: Trial, limits: Sequence[Limit]) -> float | None:
    found = [limit.excess(trial.takes) for limit in limits]
    known = [excess for excess in found if excess is not None]
    return max(known) if len(known) == len(found) else None


def _value(limit: Limit, trial: Trial) -> float:
    excess = limit.excess(trial.takes)
    assert excess is not None  # Only trials of which it is known are the nearest.
    return excess * limit.bound
