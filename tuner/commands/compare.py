"""The comparison of a run: winner, baseline and EfficientNetB2, retrained under the same rules, then scored once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.commands.job import Job
from tuner.commands.options import PRESETS
from tuner.commands.outputs import training_data
from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.records.contender import Contender, Trained
from tuner.records.events import ModelTrained, Notice, StageStarted
from tuner.records.results import ModelResult, SearchSummary
from tuner.retrain.contenders import baselines, efficientnet_from_scratch, pretrained_efficientnet, tuned_contender

if TYPE_CHECKING:
    from tuner.retrain.features import Extractor
    from tuner.retrain.retrain import RetrainOrder
    from tuner.training.data import TrainingData

LOG = logging.getLogger("tuner")

# In the folder of the state: a run that goes on computes them no second time.
FEATURES = "features.npy"

Comparison = list[tuple[Contender, list[Trained]]]


def retrain_all(job: Job, searched: SearchSummary, executor: Executor) -> Comparison | None:
    """Retrain all models of the comparison, side by side; EfficientNetB2's head comes after them.

    Returns:
        Each model with its trainings, the winner first; None where somebody asked for the end before all were trained.
    """
    from tuner.retrain.retrain import RetrainOrder

    order = RetrainOrder(
        seeds=[task_seed(job.options.seed, RETRAININGS, number) for number in range(job.file.retrain.seeds)],
        checkpoints=job.folder.state,
        deadline=job.deadline,
    )
    data, contenders = training_data(job.dataset), list(_contenders(job, searched))
    if "efficientnet_b2" not in job.file.compare:
        return _retrained(job, contenders, data, order, executor)
    head = pretrained_efficientnet(contenders[0], max(data.spec.height, data.spec.width))
    extract = _extractor(job, head)
    if extract is None:
        scratch = efficientnet_from_scratch(contenders[0], PRESETS[job.options.preset].efficientnet)
        return _retrained(job, [*contenders, scratch], data, order, executor)
    # Features take a pass over all images on one core: what the search found must not wait for them.
    others = _retrained(job, contenders, data, _leaving_time(order, len(contenders)), executor)
    if others is None:
        return None
    last = _retrained_head(job, head, extract, data, order, executor)
    return None if last is None else others + last


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


def _contenders(job: Job, searched: SearchSummary) -> Iterator[Contender]:
    """The winner and the baselines."""
    tuned = tuned_contender(job.file, searched.best_values, PRESETS[job.options.preset].schedule)
    yield tuned
    if job.card.baseline:
        yield from baselines(tuned, job.card.baseline, job.file.compare)
    elif {"baseline", "baseline_published"} & set(job.file.compare):
        job.tell(Notice(text="this data set has no card that states a baseline, so none is compared"))


def _retrained(
    job: Job, contenders: Sequence[Contender], data: TrainingData, order: RetrainOrder, executor: Executor
) -> Comparison | None:
    from tuner.retrain.retrain import retrain

    trained = retrain([(contender, data) for contender in contenders], order, executor, job.tell, job.request)
    return None if job.request.is_made() else list(zip(contenders, trained, strict=True))


def _extractor(job: Job, head: Contender) -> Extractor | None:
    """EfficientNetB2 with ImageNet's weights; None, and a notice, where they are not to be had."""
    from tuner.models.efficientnet import NoPretrainedWeightsError
    from tuner.retrain.features import extractor

    job.tell(StageStarted(title="Looking for EfficientNetB2's ImageNet weights"))
    try:
        return extractor(head.values, job.dataset.spec)
    except NoPretrainedWeightsError as error:
        LOG.warning("EfficientNetB2's ImageNet weights: %s", error)
    text = "EfficientNetB2 is trained from scratch: its ImageNet weights are not in Keras' cache and could not be "
    job.tell(Notice(text=f"{text}downloaded (no network? run.log says more)"))
    return None


def _leaving_time(order: RetrainOrder, n_contenders: int) -> RetrainOrder:
    """The order with an earlier deadline: one more contender is to have as much time as each of these."""
    if order.deadline is None:
        return order
    now = time.time()
    return replace(order, deadline=now + (order.deadline - now) * n_contenders / (n_contenders + 1))


def _retrained_head(
    job: Job, head: Contender, extract: Extractor, data: TrainingData, order: RetrainOrder, executor: Executor
) -> Comparison | None:
    from tuner.retrain.features import with_features

    def is_stopping() -> bool:
        return job.request.is_made() or (order.deadline is not None and time.time() >= order.deadline)

    job.tell(StageStarted(title="Computing EfficientNetB2's features"))
    features = with_features(data, extract, job.folder.state / FEATURES, is_stopping)
    if features is not None:
        return _retrained(job, [head], features, order, executor)
    return None if job.request.is_made() else [(head, list(_too_late(job, head, order)))]


def _too_late(job: Job, head: Contender, order: RetrainOrder) -> Iterator[Trained]:
    from tuner.retrain.retrain import too_late

    for number, seed in enumerate(order.seeds):
        name = f"{head.name}-{number}"
        result = too_late(name)
        assert result.failure is not None
        job.tell(ModelTrained(title=head.title, seed=number, text=f"failed: {result.failure.reason}"))
        yield Trained(seed=number, task_seed=seed, result=result, checkpoint=order.checkpoints / f"{name}.npz")
