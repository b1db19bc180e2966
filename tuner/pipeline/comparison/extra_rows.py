"""Rows that train nothing: validation chooses them before the test set is opened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tuner.errors import TunerError
from tuner.metrics.ranking import best_settings
from tuner.pipeline.job import Job
from tuner.records.contender import Contender, Trained
from tuner.records.events import StageStarted
from tuner.records.results import ModelResult
from tuner.records.trial import Trial
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import built

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.sealed import OpenedTest

LOG = logging.getLogger("tuner")

ScoredRow = tuple[ModelResult, dict[str, np.ndarray]]


class Chosen(Protocol):
    """What validation has chosen."""

    def score(self, test: OpenedTest, tuned: ModelResult) -> ScoredRow:
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
        self._name, self._title, self._winner = name, title, winner
        self._chosen: Chosen | None = None
        self._error = ""
        try:
            self._chosen = choose()
        except Exception as error:
            self._error = self._reason(error)

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
                return self._chosen.score(test, tuned)
            except Exception as error:
                self._error = self._reason(error)
        return self._without_scores(), {}

    def _reason(self, error: Exception) -> str:
        LOG.exception("%s has no scores", self._title)
        return (
            error.message if isinstance(error, TunerError) else f"{type(error).__name__}: {error}"
        )

    def _without_scores(self) -> ModelResult:
        return ModelResult(
            name=self._name,
            title=self._title,
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

    return ensemble.N_CANDIDATES if ensemble.NAME in file.compare else 0


def _rows(job: Job, winner: Contender, trained: Sequence[Trained]) -> Iterator[ExtraRow]:
    from tuner.evaluation import augmented, ensemble
    from tuner.evaluation.validation_images import validation_of
    from tuner.search.trial_training import trial_checkpoint

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
    if ensemble.NAME in job.file.compare:
        job.tell(StageStarted(title="Choosing an ensemble on validation images"))
        ended = [
            entry.trial
            for entry in job.folder.search_log.read()
            if entry.kind == "ended" and entry.trial
        ]
        candidates = [
            ensemble.EnsembleCandidate(
                trial=_as_built(trial, job.file),
                checkpoint=trial_checkpoint(job.folder.state, trial.trial_id),
            )
            for trial in best_settings(ended, job.file.objective, ensemble.N_CANDIDATES)
        ]
        yield ExtraRow(
            ensemble.NAME,
            ensemble.TITLE,
            winner,
            lambda: ensemble.choose_ensemble(job.file.model, candidates, validation),
        )


def _as_built(trial: Trial, file: SearchSpaceFile) -> Trial:
    """A trial with its model, and with its values in that model's own words."""
    model, values = built(file, trial.values, trial.model)
    return replace(trial, model=model, values=values)
