"""Which of several families the next space searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.metrics.importance import scored
from tuner.metrics.one_standard_error import SHARES, standard_error
from tuner.metrics.ranking import best_settings, comparable
from tuner.metrics.score_text import score_text
from tuner.records.search_summary import SearchSummary
from tuner.records.trial import Trial
from tuner.space.definition import FAMILY, Objective
from tuner.space.parsing.families import owners

# A family is behind where its best setting is by more standard errors than this.
CLEARLY = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """The families of the next space.

    Attributes:
        names: What it searches, the best one among them.
        reasons: Why others are left out, by their names.
    """

    names: tuple[str, ...]
    reasons: dict[str, str]


def next_families(
    search: SearchSummary, trials: Sequence[Trial], best: str, n_images: int
) -> Families:
    """The families that are not clearly behind the best.

    Of these, the best alone where one file cannot state its hyperparameters beside the others'.

    Args:
        search: What was searched.
        trials: All of its trials.
        best: The family of the best setting.
        n_images: Validation images that a score rests on.
    """
    objective = Objective(name=search.objective, direction=search.direction)
    scores: dict[str, float] = {}
    for family in search.families:
        own = [t for t in scored(trials) if t.model is None and t.values.get(FAMILY) == family]
        for trial in best_settings(comparable(own), objective, 1):
            scores[family] = trial.score or 0.0
    top = scores[best]
    noise = 0.0
    if objective.name in SHARES:
        noise = CLEARLY * standard_error([top], n_images, is_share=True)
    reasons: dict[str, str] = {}
    for family in search.families:
        if family not in scores:
            reasons[family] = "none of its settings has a score"
        elif objective.cost(scores[family]) - objective.cost(top) > noise:
            reasons[family] = (
                f"its best {objective.name} is {score_text(scores[family], objective.name, 2)},"
                f" that of {best} {score_text(top, objective.name, 2)}"
            )
    names = tuple(family for family in search.families if family not in reasons)
    if best not in owners(names):
        others = [name for name in names if name != best]
        reasons |= dict.fromkeys(
            others, f"a file that states the hyperparameters of {best} searches it alone"
        )
        names = (best,)
    return Families(names=names, reasons=reasons)
