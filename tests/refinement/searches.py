"""Made-up searches: spaces, and trials whose scores a function gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.report.fixtures import results
from tuner.metrics.importance import importance
from tuner.records.search_summary import SearchSummary
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.refinement.evidence import Evidence, evidence_of
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.sampling import sample


def file_of(space: str, head: str = "") -> SearchSpaceFile:
    return parse_space(parse_document(f"version: 1\n{head}\nspace:\n{space}", "my.yaml"))


def trial(number: int, values: Mapping[str, Any], score: float, **changes: Any) -> Trial:
    usual: dict[str, Any] = {"bracket": 0, "rung": 0, "parent_id": None, "first_epoch": 1}
    return Trial(
        **usual | {"last_epoch": 3} | changes,
        trial_id=f"{number:04d}",
        values=values,
        score=score,
        epochs=(EpochMetrics(epoch=3, metrics={"val_accuracy": score}, duration_s=1.0),),
    )


def drawn(
    file: SearchSpaceFile, n: int, score: Callable[[Mapping[str, Any]], float]
) -> list[Trial]:
    """Settings that are drawn, each trained once."""
    rng = np.random.default_rng(0)
    settings = [sample(file.space, rng) for _ in range(n)]
    return [trial(i, values, score(values)) for i, values in enumerate(settings)]


def summary(file: SearchSpaceFile) -> SearchSummary:
    """A search of a space; what it has found is not told by it."""
    return replace(
        results().search,
        model=file.model,
        parameters=file.space.parameters,
        objective=file.objective.name,
        direction=file.objective.direction,
        families=tuple(family.name for family in file.families),
    )


def evidence(file: SearchSpaceFile, trials: list[Trial]) -> Evidence:
    found = importance(trials, file.space.parameters, file.objective.direction, 0)
    return evidence_of(summary(file), trials, found, "run")
