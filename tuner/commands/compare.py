"""The comparison of a run: winner, baseline and EfficientNetB2, retrained under the same rules, then scored once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tuner.commands.job import Job
from tuner.commands.options import PRESETS
from tuner.commands.outputs import training_data
from tuner.data.card import Published
from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.models.registry import complete
from tuner.records.contender import Contender, Trained
from tuner.records.events import Notice, StageStarted
from tuner.records.results import ModelResult, SearchSummary
from tuner.records.training import EarlyStopping
from tuner.retrain.contenders import efficientnet_from_scratch, pretrained_efficientnet
from tuner.training.data import TrainingData

LOG = logging.getLogger("tuner")


def retrain_all(job: Job, searched: SearchSummary, executor: Executor) -> list[tuple[Contender, list[Trained]]] | None:
    """Retrain all models of the comparison, side by side.

    Returns:
        Each model with its trainings, the winner first; None where somebody asked for the end before all were trained.
    """
    from tuner.retrain.retrain import RetrainOrder, retrain

    contenders = list(_contenders(job, searched))
    order = RetrainOrder(
        seeds=[task_seed(job.options.seed, RETRAININGS, number) for number in range(job.file.retrain.seeds)],
        checkpoints=job.folder.state,
        deadline=job.deadline,
    )
    trained = retrain(contenders, order, executor, job.tell, job.request)
    if job.request.is_made():
        return None
    return [(contender, trainings) for (contender, _), trainings in zip(contenders, trained, strict=True)]


def score(job: Job, trained: Sequence[tuple[Contender, list[Trained]]]) -> list[ModelResult]:
    """Score all models on the test set, now that every choice has been made."""
    from tuner.evaluation.evaluate import evaluate

    job.tell(StageStarted(title="Scoring on the test set"))
    results: list[ModelResult] = []
    predicted: dict[str, np.ndarray] = {}
    for contender, trainings in trained:
        save_to = job.folder.model if contender.name == "tuned" else job.folder.state / f"{contender.name}.keras"
        result, probabilities = evaluate(contender, trainings, job.dataset, save_to)
        results.append(result)
        predicted |= probabilities
    job.folder.write_predictions(job.dataset.images.labels[job.dataset.split.test], predicted)
    return results


def _contenders(job: Job, searched: SearchSummary) -> Iterator[tuple[Contender, TrainingData]]:
    """Each model of the comparison with the data that it trains on."""
    file, data = job.file, training_data(job.dataset)
    rule = EarlyStopping(
        monitor=file.objective.name, direction=file.objective.direction, patience=file.retrain.patience
    )
    tuned = Contender(
        name="tuned",
        title="Tuned",
        model=searched.model,
        values=searched.best_values,
        max_epochs=file.retrain.epochs,
        early_stopping=rule,
        schedule=PRESETS[job.options.preset].schedule,
    )
    yield tuned, data
    stated = job.card.baseline
    if stated is None:
        if {"baseline", "baseline_published"} & set(file.compare):
            job.tell(Notice(text="this data set has no card that states a baseline, so none is compared"))
    else:
        baseline = replace(
            tuned,
            name="baseline",
            title="Baseline",
            model=stated.model,
            values=complete(stated.model, stated.values),
            note=stated.title,
        )
        if "baseline" in file.compare:
            yield baseline, data
        if "baseline_published" in file.compare:
            yield _as_published(baseline, stated.published), data
    if "efficientnet_b2" in file.compare:
        yield _efficientnet(job, tuned, data)


def _efficientnet(job: Job, tuned: Contender, data: TrainingData) -> tuple[Contender, TrainingData]:
    """With ImageNet weights a head on frozen features; without them from scratch, and marked so."""
    from tuner.models.efficientnet import NoPretrainedWeightsError
    from tuner.retrain.features import with_features

    pretrained = pretrained_efficientnet(tuned, max(data.spec.height, data.spec.width))
    job.tell(StageStarted(title="Looking for EfficientNetB2's ImageNet weights"))
    try:
        return pretrained, with_features(data, pretrained.values)
    except NoPretrainedWeightsError as error:
        LOG.warning("EfficientNetB2's ImageNet weights: %s", error)
        text = "EfficientNetB2 is trained from scratch: its ImageNet weights are not in Keras' cache and could not be "
        job.tell(Notice(text=f"{text}downloaded (no network? run.log says more)"))
        return efficientnet_from_scratch(tuned, PRESETS[job.options.preset].efficientnet), data


def _as_published(baseline: Contender, published: Published) -> Contender:
    """The baseline by its source's own schedule: its epochs, and its own reason to stop before."""
    return replace(
        baseline,
        name="baseline_published",
        title="Baseline, as published",
        max_epochs=published.epochs,
        early_stopping=replace(
            baseline.early_stopping,
            patience=None,
            stop_metric=published.stop_metric,
            stop_value=published.stop_value or 0.0,
            keeps_best=False,
        ),
        schedule="constant",
        note=f"{baseline.note}; its published schedule, not the rules of the others",
        in_verdict=False,
    )
