"""The rows that combine predictions, each saved as one model of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from tuner.models.registry import complete
from tuner.pipeline.comparison.extra_rows import ExtraRow
from tuner.pipeline.comparison.kept_file import KeptFile
from tuner.pipeline.comparison.recommending import latency_bound
from tuner.pipeline.job import Job
from tuner.records.combination import Member
from tuner.records.contender import Contender, Trained
from tuner.records.training import EarlyStopping
from tuner.space.definition import SearchSpaceFile

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.combined.kept_combination import KeptCombination


def keep_rows(job: Job, rows: Sequence[ExtraRow]) -> dict[str, KeptCombination]:
    """Save the model of each row that a file can hold, by the row's name."""
    from tuner.evaluation.validation_images import validation_of

    validation = validation_of(job.dataset, job.file.objective.name)
    bound_ms = latency_bound(job)
    kept = {row.name: row.keep(job.folder.model_of(row.name), validation, bound_ms) for row in rows}
    return {name: one for name, one in kept.items() if one is not None}


def combined_files(
    job: Job,
    winner: tuple[Contender, Sequence[Trained]],
    combined: Mapping[str, KeptCombination],
) -> Iterator[KeptFile]:
    """What is sealed with each of them.

    Args:
        job: The run.
        winner: Of the search, with its retrainings.
        combined: From `keep_rows`.
    """
    from tuner.evaluation.augmented import TITLE
    from tuner.evaluation.kept_model import kept_training

    contender, trainings = winner
    for name, one in combined.items():
        members = one.combination.members
        yield KeptFile(
            contender=_of_members(name, members, job.file)
            if members
            else replace(contender, name=name, title=TITLE),
            training=None if members else kept_training(contender, trainings),
            file=one.file,
            temperature=one.temperature.value,
            combination=one.combination,
            validation_score=fmean(one.worth.scores),
        )


def _of_members(name: str, members: Sequence[Member], file: SearchSpaceFile) -> Contender:
    """An ensemble in the words of a contender, whose setting is that of its heaviest member."""
    from tuner.evaluation.combined.ensemble_model import ensemble_title

    first = members[0]
    return Contender(
        name=name,
        title=ensemble_title(members),
        model=first.model,
        values=complete(first.model, first.values),
        max_epochs=max(one.epochs for one in members),
        early_stopping=EarlyStopping(
            monitor=file.objective.name,
            direction=file.objective.direction,
            patience=None,
            keeps_best=False,
        ),
    )
