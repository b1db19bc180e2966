"""What a finished search says of its hyperparameters: its best settings, and what mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuner.errors import ConfigurationError
from tuner.metrics.importance import rank_settings, scored
from tuner.metrics.ranking import winner
from tuner.metrics.setting_columns import has_values
from tuner.records.importance import Importance, ParameterImportance
from tuner.records.search_summary import SearchSummary
from tuner.records.trial import Trial
from tuner.space.definition import FAMILY, Objective
from tuner.space.vocabulary import VOCABULARIES

# Of fewer settings the best quarter is a handful, which spans any part of a range by chance.
MIN_SETTINGS = 12
BEST_SHARE = 0.25
# A hyperparameter of no effect explains no more of the settings' order than this, with 95 %
# confidence.
NO_EFFECT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a search says.

    Attributes:
        search: The search, with the best setting that it has proposed as the winner.
        settings: The settings of the winner's family, each as its longest trial, the best of each
            bracket first.
        importance: What mattered; None where it was not computed.
    """

    search: SearchSummary
    settings: tuple[Trial, ...]
    importance: Importance | None

    @property
    def best(self) -> Sequence[Trial]:
        """The best quarter; empty of few settings, which tell nothing."""
        n = len(self.settings)
        return self.settings[: math.ceil(BEST_SHARE * n)] if n >= MIN_SETTINGS else ()

    @property
    def best_words(self) -> str:
        """Such as `the best 8 of 32 settings`."""
        return f"the best {len(self.best)} of {len(self.settings)} settings"

    def of(self, name: str) -> ParameterImportance | None:
        """How much a hyperparameter mattered; None where nothing can be told from chance."""
        rows = self.importance.parameters if self.importance else ()
        return next((row for row in rows if name in row.parameters), None)


def evidence_of(
    search: SearchSummary, trials: Sequence[Trial], importance: Importance | None, where: str
) -> Evidence:
    """What a search says of the space of its best family.

    Args:
        search: What was searched and found.
        trials: All of its trials.
        importance: What mattered in it.
        where: Begins the message of an error.

    Raises:
        ConfigurationError: If nothing was searched, or no setting of the space has a score.
    """
    if not search.parameters:
        raise ConfigurationError(
            f"{where}: nothing was searched in this run: its space fixes every hyperparameter",
            "search one in the space, then run again.",
        )
    objective = Objective(name=search.objective, direction=search.direction)
    inside = [trial for trial in scored(trials) if _is_inside(trial, search)]
    if not inside:
        raise ConfigurationError(
            f"{where}: no setting of the space has a score, so there is nothing to refine",
            "give a run in which at least one setting has a score.",
        )
    best = winner(inside, objective)
    family = best.values.get(FAMILY) if search.families else None
    of_family = [t for t in inside if not search.families or t.values.get(FAMILY) == family]
    ranked = rank_settings(of_family, search.direction, np.random.default_rng(0))
    order = np.argsort(-ranked.ranks, kind="stable")
    own = {name: value for name, value in best.values.items() if name != FAMILY or not family}
    return Evidence(
        search=replace(
            search,
            best_trial_id=best.trial_id,
            best_score=best.score or 0.0,
            best_values={**_defaults(family or search.model), **own},
            best_model=None if family in (None, search.model) else family,
            best_family=family or "",
            best_origin="",
        ),
        settings=tuple(ranked.trials[i] for i in order),
        importance=importance,
    )


def _is_inside(trial: Trial, search: SearchSummary) -> bool:
    """Whether a trial was proposed, and is of a family whose hyperparameters can be stated.

    A setting that the search began with was chosen elsewhere: of a space that was refined it is
    always among the best.
    """
    is_stated = not search.families or trial.values.get(FAMILY) in VOCABULARIES
    is_proposed = trial.model is None and not trial.origin
    return is_proposed and is_stated and has_values(search.parameters, trial.values)


def _defaults(model: str) -> Mapping[str, Any]:
    terms = VOCABULARIES.get(model, {})
    return {name: term.default for name, term in terms.items()}
