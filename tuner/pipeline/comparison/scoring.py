"""One model of a comparison is recommended; all are scored on the test set, once, and compared."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.data.splits.fold import fold_of_seed
from tuner.pipeline.comparison.extra_rows import choose_rows
from tuner.pipeline.comparison.kept_file import KeptFile
from tuner.pipeline.comparison.kept_rows import combined_files, keep_rows
from tuner.pipeline.comparison.recommending import (
    held,
    latency_bound,
    recommend,
    timed_before,
)
from tuner.pipeline.comparison.retraining import RetrainedModels
from tuner.pipeline.job import Job
from tuner.records.comparison import Difference
from tuner.records.error_text import reason_of
from tuner.records.events import Notice, StageStarted
from tuner.records.label_issues import LabelIssues
from tuner.records.pictures import ActivationMaps, Gallery
from tuner.records.recommendation import Recommendation
from tuner.records.results import ModelResult
from tuner.records.scores import Temperature
from tuner.space.constraints import NOT_KNOWN, Footprint

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.kept_model import KeptModel
    from tuner.evaluation.sealed import OpenedTest

LOG = logging.getLogger("tuner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What validation and test images say; `Results` explains each part but the first.

    Attributes:
        kept: The saved models, in the order of the run.
        recommendation: Which of them to use.
        models: The models of the comparison.
        differences: The winner against the others.
        temperature: Of the winner's kept model.
        gallery: Test images that it is shown with.
        activations: What its convolutions see.
        label_issues: Labels that it speaks against.
    """

    kept: tuple[KeptFile, ...] = ()
    recommendation: Recommendation | None = None
    models: tuple[ModelResult, ...] = ()
    differences: tuple[Difference, ...] = ()
    temperature: Temperature | None = None
    gallery: Gallery | None = None
    activations: ActivationMaps | None = None
    label_issues: LabelIssues | None = None


def score(job: Job, trained: RetrainedModels, takes: Footprint = NOT_KNOWN) -> Scored:
    """Recommend a model by the validation images, then score all on the test set, and compare them.

    The test set is opened when every choice has been made.

    Args:
        job: The run.
        trained: Each model with its retrainings, the winner first.
        takes: What the winner's network took when the search had ended, if that was measured.
    """
    from tuner.evaluation.differences import compare_models
    from tuner.evaluation.evaluate import evaluate
    from tuner.evaluation.sealed import open_test

    winner, trainings_of_winner = trained[0]
    extra = choose_rows(job, winner, trainings_of_winner)
    kept = _kept_models(job, trained)
    combined = keep_rows(job, extra)
    # For the limits alone: tables compare latencies that were measured alike.
    limited = timed_before(kept, winner.name, takes.latency_ms)
    recommendation = recommend(job, trained, limited, combined)
    files = [*_kept_files(trained, kept), *combined_files(job, trained[0], combined)]
    scored = Scored(kept=tuple(files), recommendation=recommendation)
    job.tell(StageStarted(title="Scoring on the test set"))
    test = open_test(job.dataset)
    models: list[ModelResult] = []
    predicted: dict[str, np.ndarray] = {}
    for contender, trainings in trained:
        model, probabilities = evaluate(contender, trainings, test, kept.get(contender.name))
        models.append(model)
        predicted |= probabilities
    for row in extra:
        model, probabilities = row.score(test, models[0])
        models.append(model)
        predicted |= probabilities
    job.folder.write_predictions(test.labels, predicted)
    models = [held(one, limited.get(one.name) or combined.get(one.name), job) for one in models]
    found, differences = compare_models(models, test.labels, predicted, job.options.seed)
    scored = replace(scored, models=found, differences=differences)
    of_winner = kept.get(winner.name)
    if of_winner is None or not models[0].runs:
        return scored
    probabilities_of_kept = predicted[f"{winner.name}-{of_winner.training.seed}"]
    temperature = of_winner.temperature
    gallery, activations, issues = _pictures(job, of_winner, test, probabilities_of_kept)
    return replace(
        scored,
        temperature=temperature.on_test(test.labels, probabilities_of_kept)
        if temperature
        else None,
        gallery=gallery,
        activations=activations,
        label_issues=issues,
    )


def _kept_models(job: Job, trained: RetrainedModels) -> dict[str, KeptModel]:
    """The model of each contender's best retraining, saved under the contender's name."""
    from tuner.evaluation.kept_model import keep_model
    from tuner.evaluation.validation_images import validation_of

    job.tell(StageStarted(title="Choosing the model to use on validation images"))
    validation = validation_of(job.dataset, job.file.objective.name)
    # Of a session that was killed, which may have had other weights at hand.
    shutil.rmtree(job.folder.models, ignore_errors=True)
    bound_ms = latency_bound(job)
    kept = {
        contender.name: keep_model(
            contender,
            trainings,
            validation,
            job.folder.model_of(contender.name),
            bound_ms,
        )
        for contender, trainings in trained
    }
    return {name: one for name, one in kept.items() if one is not None}


def _kept_files(trained: RetrainedModels, kept: Mapping[str, KeptModel]) -> Iterator[KeptFile]:
    for contender, _ in trained:
        one = kept.get(contender.name)
        if one is not None and one.file is not None:
            yield KeptFile(
                contender=contender,
                training=one.training,
                file=one.file,
                temperature=one.temperature.value if one.temperature else None,
            )


def _pictures(
    job: Job, kept: KeptModel, test: OpenedTest, found: np.ndarray
) -> tuple[Gallery | None, ActivationMaps | None, LabelIssues | None]:
    """Write the pictures of the page; without them a run has lost nothing that matters."""
    from tuner.evaluation.explain.explained_images import make_pictures

    job.tell(StageStarted(title="Drawing test images for the report"))
    gallery = activations = issues = None
    pictures: dict[str, bytes] = {}
    with _told(job, "pictures"):
        gallery, activations, pictures = make_pictures(
            kept.model, test.images, test.rows, test.labels, found, test.origins, test.spec
        )
    of_labels: dict[str, bytes] = {}
    with _told(job, "likely wrong labels"):
        issues, of_labels = _label_issues(job, kept, test, found)
    try:
        job.folder.write_pictures(pictures | of_labels)
    except OSError as error:
        LOG.exception("the pictures are not written")
        job.tell(Notice(text=f"the report has no pictures: {reason_of(error)}"))
        return None, None, None
    return gallery, activations, issues


@contextmanager
def _told(job: Job, what: str) -> Iterator[None]:
    """Tell, where something goes wrong, that the report lacks this; the rest goes on."""
    try:
        yield
    except Exception as error:
        LOG.exception("there are no %s", what)
        job.tell(Notice(text=f"the report has no {what}: {reason_of(error)}"))


def _label_issues(
    job: Job, kept: KeptModel, test: OpenedTest, found: np.ndarray
) -> tuple[LabelIssues | None, dict[str, bytes]]:
    """Labels that the kept model speaks against, of images that it did not train on."""
    from tuner.evaluation.label_issues import PredictedPart, label_issues

    if kept.found is None or kept.temperature is None:
        return None, {}
    images, folds = job.dataset.images, job.dataset.split.folds
    rows = folds[fold_of_seed(kept.training.seed, len(folds))].validation
    validation = PredictedPart(
        part="validation", rows=rows, labels=images.labels[rows], probabilities=kept.found
    )
    tested = PredictedPart(part="test", rows=test.rows, labels=test.labels, probabilities=found)
    return label_issues(images, validation, tested, kept.temperature.value)
