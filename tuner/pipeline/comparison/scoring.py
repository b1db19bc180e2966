"""The comparison of a run: winner, baseline and EfficientNetB2, retrained under the same rules, then scored once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.metrics.probabilities import ScoreError
from tuner.models.backbones.catalog import BACKBONES
from tuner.pipeline.comparison.extra_rows import choose_rows
from tuner.pipeline.job import Job
from tuner.pipeline.outputs.journal import training_data
from tuner.pipeline.run_options import PRESETS, RunOptions
from tuner.records.comparison import Difference
from tuner.records.contender import Contender, Trained
from tuner.records.error_text import reason_of
from tuner.records.events import Notice, StageStarted
from tuner.records.image import ImageSpec
from tuner.records.pictures import ActivationMaps, Gallery
from tuner.records.results import ModelResult, SearchSummary
from tuner.records.scores import Temperature
from tuner.retrain.contenders import BACKBONE_SIZE, baselines, tuned_contender
from tuner.retrain.opponents import BackboneRules, backbone_opponents
from tuner.space.definition import SearchSpaceFile

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.sealed import OpenedTest
    from tuner.evaluation.temperature import FittedTemperature

LOG = logging.getLogger("tuner")

RetrainedModels = Sequence[tuple[Contender, list[Trained]]]


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


def retrain_all(job: Job, searched: SearchSummary, executor: Executor) -> RetrainedModels | None:
    """Retrain all models of the comparison, side by side.

    Returns:
        Each model with its trainings, the winner first; None where somebody asked for the end
            before all were trained.
    """
    from tuner.retrain.retrain import RetrainOrder, retrain

    order = RetrainOrder(
        seeds=[
            task_seed(job.options.seed, RETRAININGS, number)
            for number in range(job.file.retrain.seeds)
        ],
        checkpoints=job.folder.state,
        deadline=job.deadline,
    )
    contenders = list(_contenders(job, searched))
    trained = retrain(
        contenders,
        training_data(job.dataset, job.options.data_dir, job.folder.features),
        order,
        executor,
        job.tell,
        job.request,
    )
    return None if job.request.is_made() else list(zip(contenders, trained, strict=True))


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
    """What makes the winner's kept model believable, by the validation images; None for outputs that cannot be."""
    from tuner.evaluation.temperature import temperature_of
    from tuner.evaluation.validation import validation_of

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
    from tuner.evaluation.gallery import make_pictures
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


def _contenders(job: Job, searched: SearchSummary) -> Iterator[Contender]:
    """The winner and its opponents."""
    file = job.file
    schedule = PRESETS[job.options.preset].schedule
    yield (tuned := tuned_contender(file, searched.best_values, schedule))
    rules = replace(tuned, schedule=schedule)
    if job.card.baseline:
        yield from baselines(rules, job.card.baseline, file.compare)
    elif {"baseline", "baseline_published"} & set(file.compare):
        job.tell(
            Notice(text="this data set has no card that states a baseline, so none is compared")
        )
    names = [name for name in file.compare if name in BACKBONES]
    if names:
        job.tell(StageStarted(title="Looking for pretrained weights"))
    how = backbone_rules(job.options, file, job.dataset.spec)
    yield from backbone_opponents(
        rules, names, how, missing_weights, lambda text: job.tell(Notice(text=text))
    )


def backbone_rules(options: RunOptions, file: SearchSpaceFile, spec: ImageSpec) -> BackboneRules:
    """How a run trains backbones for the comparison."""
    preset = PRESETS[options.preset]
    size = min(max(spec.height, spec.width, preset.min_backbone_size), BACKBONE_SIZE)
    return BackboneRules(stated=file.backbone, scratch=preset.from_scratch, input_size=size)


def missing_weights(contender: Contender) -> str | None:
    """Why a backbone's weights cannot be had, in one line; downloads them where it must."""
    from tuner.models.backbones.network import build_network
    from tuner.models.backbones.weights import NoPretrainedWeightsError

    try:
        build_network(BACKBONES[contender.model], contender.values)
    except NoPretrainedWeightsError as error:
        LOG.warning("%s: %s %s", contender.title, error.message, error.hint)
        # The notice begins with the name already.
        return error.message.removeprefix(f"{BACKBONES[contender.model].title}: ")
    return None
