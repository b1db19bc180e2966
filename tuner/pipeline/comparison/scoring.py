"""The models of a comparison are scored on the test set, once, and compared."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.metrics.probabilities import ScoreError
from tuner.pipeline.comparison.extra_rows import choose_rows
from tuner.pipeline.comparison.retraining import RetrainedModels
from tuner.pipeline.job import Job
from tuner.records.comparison import Difference
from tuner.records.contender import Contender, Trained
from tuner.records.error_text import reason_of
from tuner.records.events import Notice, StageStarted
from tuner.records.pictures import ActivationMaps, Gallery
from tuner.records.results import ModelResult
from tuner.records.scores import Temperature

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.sealed import OpenedTest
    from tuner.evaluation.temperature import FittedTemperature

LOG = logging.getLogger("tuner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What the test images say; `Results` explains each part.

    Attributes:
        models: The models of the comparison.
        differences: The winner against the others.
        temperature: Of the winner's kept model.
        gallery: Test images that it is shown with.
        activations: What its convolutions see.
    """

    models: tuple[ModelResult, ...] = ()
    differences: tuple[Difference, ...] = ()
    temperature: Temperature | None = None
    gallery: Gallery | None = None
    activations: ActivationMaps | None = None


def score(job: Job, trained: RetrainedModels) -> Scored:
    """Score all models on the test set, now that every choice has been made, and compare them."""
    from tuner.evaluation.differences import compare_models
    from tuner.evaluation.evaluate import evaluate, kept_training
    from tuner.evaluation.sealed import open_test

    winner, trainings_of_winner = trained[0]
    extra = choose_rows(job, winner, trainings_of_winner)
    kept = kept_training(winner, trainings_of_winner)
    temperature = _fitted_temperature(job, winner, kept) if kept else None
    job.tell(StageStarted(title="Scoring on the test set"))
    test = open_test(job.dataset)
    models: list[ModelResult] = []
    predicted: dict[str, np.ndarray] = {}
    for contender, trainings in trained:
        save_to = (
            job.folder.model
            if contender.name == "tuned"
            else job.folder.state / f"{contender.name}.keras"
        )
        model, probabilities = evaluate(contender, trainings, test, save_to)
        models.append(model)
        predicted |= probabilities
    for row in extra:
        model, probabilities = row.score(test, models[0])
        models.append(model)
        predicted |= probabilities
    job.folder.write_predictions(test.labels, predicted)
    found, differences = compare_models(models, test.labels, predicted, job.options.seed)
    scored = Scored(models=found, differences=differences)
    if kept is None or not models[0].runs:
        return scored
    of_kept = predicted[f"{winner.name}-{kept.seed}"]
    gallery, activations = _pictures(job, winner, kept, test, of_kept)
    return replace(
        scored,
        temperature=temperature.on_test(test.labels, of_kept) if temperature else None,
        gallery=gallery,
        activations=activations,
    )


def _fitted_temperature(job: Job, winner: Contender, kept: Trained) -> FittedTemperature | None:
    """The temperature of the winner's kept model, by the validation images; None if it has none."""
    from tuner.evaluation.temperature import temperature_of
    from tuner.evaluation.validation_images import validation_of

    try:
        return temperature_of(winner, kept, validation_of(job.dataset, job.file.objective.name))
    except ScoreError as error:
        # On the test images it is no better, and that is what is told.
        LOG.warning("no temperature: %s", error.message)
        return None


def _pictures(
    job: Job, winner: Contender, kept: Trained, test: OpenedTest, found: np.ndarray
) -> tuple[Gallery | None, ActivationMaps | None]:
    """Write the pictures of the page; without them a run has lost nothing that matters."""
    from tuner.evaluation.explain.explained_images import make_pictures
    from tuner.training.finished import finished_model

    job.tell(StageStarted(title="Drawing test images for the report"))
    try:
        model = finished_model(winner.model, winner.values, test.spec, kept.checkpoint)
        gallery, activations, pictures = make_pictures(
            model, test.images, test.rows, test.labels, found, test.origins, test.spec
        )
        job.folder.write_pictures(pictures)
    except Exception as error:
        LOG.exception("there are no pictures")
        job.tell(Notice(text=f"the report has no pictures: {reason_of(error)}"))
        return None, None
    return gallery, activations
