"""Rows that train nothing: validation chooses them before the test set is opened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tuner.errors import TunerError
from tuner.metrics.ranking import best_settings
from tuner.models.backbones.catalog import BACKBONES
from tuner.pipeline.job import Job
from tuner.records.contender import Contender, Trained
from tuner.records.error_text import reason_of
from tuner.records.events import StageStarted
from tuner.records.results import ModelResult
from tuner.search.trial_training import seed_of, trial_checkpoint
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import built

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.combined.ensemble_model import EnsembleCandidate
    from tuner.evaluation.combined.kept_combination import KeptCombination
    from tuner.evaluation.sealed import OpenedTest
    from tuner.evaluation.validation_images import Validation

LOG = logging.getLogger("tuner")

ScoredRow = tuple[ModelResult, dict[str, np.ndarray]]


class Chosen(Protocol):
    """What validation has chosen."""

    def keep(
        self, save_to: Path, validation: Validation, bound_ms: float | None = None
    ) -> KeptCombination:
        """Save it as one model."""

    def score(
        self, test: OpenedTest, tuned: ModelResult, kept: KeptCombination | None
    ) -> ScoredRow:
        """Score it on the test images."""


class ExtraRow:
    """One row; where anything goes wrong, its scores are missing and the reason is there."""

    def __init__(
        self, name: str, title: str, winner: Contender, choose: Callable[[], Chosen]
    ) -> None:
        """Choose at once.

        Args:
            name: As in the space's `compare`.
            title: What tables call it.
            winner: Of the search.
            choose: Lets the validation images choose.
        """
        self.name, self.title = name, title
        self._winner = winner
        self._chosen: Chosen | None = None
        self._kept: KeptCombination | None = None
        self._error = self._not_kept = ""
        try:
            self._chosen = choose()
        except Exception as error:
            self._error = self._reason(error)

    def keep(
        self, save_to: Path, validation: Validation, bound_ms: float | None
    ) -> KeptCombination | None:
        """Save what was chosen as one model.

        Args:
            save_to: The .keras file to write.
            validation: The images that chose.
            bound_ms: As of `latency_ms`.

        Returns:
            The model; None where nothing was chosen, or no file can hold it.
        """
        if self._chosen is None:
            return None
        try:
            self._kept = self._chosen.keep(save_to, validation, bound_ms)
        except Exception as error:
            LOG.exception("%s is not kept", self.title)
            self._not_kept = f"not kept as one model: {reason_of(error)}"
        return self._kept

    def score(self, test: OpenedTest, tuned: ModelResult) -> ScoredRow:
        """Score what was chosen.

        Args:
            test: The test images.
            tuned: The winner's own row.

        Returns:
            The row, and the test probabilities (n, classes) by `NAME-SEED`.
        """
        if self._chosen is not None:
            try:
                row, predicted = self._chosen.score(test, tuned, self._kept)
            except Exception as error:
                self._error = self._reason(error)
            else:
                notes = [row.note, self._not_kept]
                return replace(row, note="; ".join(filter(None, notes))), predicted
        return self._without_scores(), {}

    def _reason(self, error: Exception) -> str:
        LOG.exception("%s has no scores", self.title)
        return (
            error.message if isinstance(error, TunerError) else f"{type(error).__name__}: {error}"
        )

    def _without_scores(self) -> ModelResult:
        return ModelResult(
            name=self.name,
            title=self.title,
            note="",
            in_verdict=False,
            model=self._winner.model,
            values={},
            n_parameters=None,
            file_size_bytes=None,
            latency_ms=None,
            max_epochs=self._winner.max_epochs,
            runs=(),
            error=self._error,
        )


def choose_rows(job: Job, winner: Contender, trained: Sequence[Trained]) -> list[ExtraRow]:
    """Let the validation images choose what the rows that the space asks for are.

    Args:
        job: The run.
        winner: Of the search.
        trained: Its retrainings.
    """
    return list(_rows(job, winner, trained))


def n_candidates(file: SearchSpaceFile) -> int:
    """Number of settings whose trials must outlive the search."""
    from tuner.evaluation import ensemble
    from tuner.evaluation.combined.ensemble_model import NAME

    return ensemble.N_CANDIDATES if NAME in file.compare else 0


def _rows(job: Job, winner: Contender, trained: Sequence[Trained]) -> Iterator[ExtraRow]:
    from tuner.evaluation import augmented, ensemble
    from tuner.evaluation.combined.ensemble_model import NAME
    from tuner.evaluation.validation_images import validation_of

    validation = validation_of(job.dataset, job.file.objective.name)
    if augmented.NAME in job.file.compare:
        job.tell(StageStarted(title="Choosing views of an image on validation images"))
        yield ExtraRow(
            augmented.NAME,
            augmented.TITLE,
            winner,
            lambda: augmented.choose_views(
                winner, trained, validation, may_mirror=job.card.horizontal_flip
            ),
        )
    if NAME in job.file.compare:
        job.tell(StageStarted(title="Choosing an ensemble on validation images"))
        yield ExtraRow(
            NAME,
            ensemble.TITLE,
            winner,
            lambda: ensemble.choose_ensemble(list(_candidates(job)), validation),
        )


def _candidates(job: Job) -> Iterator[EnsembleCandidate]:
    """The trials of the best settings, each as it was built and trained."""
    from tuner.evaluation.combined.ensemble_model import EnsembleCandidate
    from tuner.evaluation.ensemble import N_CANDIDATES

    entries = job.folder.search_log.read()
    ended = [entry.trial for entry in entries if entry.kind == "ended" and entry.trial]
    by_id = {trial.trial_id: trial for trial in ended}
    for trial in best_settings(ended, job.file.objective, N_CANDIDATES):
        model, values = built(job.file, trial.values, trial.model)
        yield EnsembleCandidate(
            trial=replace(trial, model=model, values=values),
            checkpoint=trial_checkpoint(job.folder.state, trial.trial_id),
            seed=seed_of(trial, job.options.seed, by_id),
            # Only a falling rate depends on it.
            schedule_epochs=job.file.search.max_epochs if model in BACKBONES else None,
        )
