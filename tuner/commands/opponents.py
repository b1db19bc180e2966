"""The models that a run would train beside the winner, as `plan` measures them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuner.commands.measure import Candidate
from tuner.commands.options import Preset
from tuner.data.card import Baseline, Card
from tuner.models.registry import complete
from tuner.records.contender import Contender
from tuner.records.training import EarlyStopping
from tuner.retrain.contenders import efficientnet_from_scratch, pretrained_efficientnet
from tuner.space.definition import SearchSpaceFile
from tuner.training.data import TrainingData

# Images that a frozen network is timed with.
_N_TIMED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Opponent:
    """A model of the comparison.

    Attributes:
        title: What tables call it.
        candidate: The model and what a run would train it on.
        max_epochs: Ceiling of each training.
        patience: Epochs without improvement after which a training ends; None trains to the ceiling.
        before_s: Seconds before its trainings can begin.
        scoring_s: Seconds that scoring one training takes beside the model itself.
    """

    title: str
    candidate: Candidate
    max_epochs: int
    patience: int | None
    before_s: float = 0.0
    scoring_s: float = 0.0


def opponents(card: Card, file: SearchSpaceFile, preset: Preset, data: TrainingData, n_test: int) -> Iterator[Opponent]:
    """The opponents that the space names, in a run's order.

    Args:
        card: Its baseline is one of them.
        file: The space.
        preset: How EfficientNetB2 is trained without ImageNet weights.
        data: What the winner is trained on.
        n_test: Test images.
    """
    if card.baseline is not None:
        yield from _baselines(card.baseline, file, data)
    if "efficientnet_b2" in file.compare:
        yield _efficientnet(file, preset, data, n_test)


def _baselines(stated: Baseline, file: SearchSpaceFile, data: TrainingData) -> Iterator[Opponent]:
    values = complete(stated.model, stated.values)
    baseline = Opponent(
        title="Baseline",
        candidate=Candidate(name="baseline", model=stated.model, values=values, data=data),
        max_epochs=file.retrain.epochs,
        patience=file.retrain.patience,
    )
    if "baseline" in file.compare:
        yield baseline
    if "baseline_published" in file.compare:
        yield replace(
            baseline,
            title="Baseline, as published",
            candidate=replace(baseline.candidate, name="baseline_published"),
            max_epochs=stated.published.epochs,
            patience=None,
        )


def _efficientnet(file: SearchSpaceFile, preset: Preset, data: TrainingData, n_test: int) -> Opponent:
    """A head on ImageNet's features where their weights are to be had, as in a run; else the whole network."""
    from tuner.models.efficientnet import N_FEATURES, NoPretrainedWeightsError

    tuned = _tuned(file)
    pretrained = pretrained_efficientnet(tuned, max(data.spec.height, data.spec.width))
    began_s = time.perf_counter()
    try:
        start_s, image_s = _frozen_s(pretrained.values, data)
    except NoPretrainedWeightsError:
        looked_s = time.perf_counter() - began_s
        scratch = efficientnet_from_scratch(tuned, preset.efficientnet)
        fewer = replace(data, train=data.train[: scratch.max_train_images])
        return _opponent(scratch, fewer, before_s=looked_s)
    features = replace(data, inputs=np.zeros((len(data.inputs), N_FEATURES), dtype="float32"))
    return _opponent(
        pretrained,
        features,
        before_s=start_s + image_s * (len(data.train) + len(data.validation)),
        scoring_s=start_s + image_s * n_test,
    )


def _frozen_s(values: Mapping[str, Any], data: TrainingData) -> tuple[float, float]:
    """Seconds until the frozen network is ready, and then per image."""
    from tuner.backend.active import predictor
    from tuner.models.efficientnet import build_extractor
    from tuner.training.fit import predict

    timed, times_s = data.train[:_N_TIMED], [time.perf_counter()]
    extract = predictor(build_extractor(values, data.spec))
    for _ in range(2):
        predict(extract, data.inputs, timed)
        times_s.append(time.perf_counter())
    began_s, ready_s, ended_s = times_s
    return ready_s - began_s, (ended_s - ready_s) / len(timed)


def _tuned(file: SearchSpaceFile) -> Contender:
    """The winner, whose rules hold for all; what it is nobody knows yet."""
    rule = EarlyStopping(
        monitor=file.objective.name, direction=file.objective.direction, patience=file.retrain.patience
    )
    return Contender(
        name="tuned", title="Tuned", model=file.model, values={}, max_epochs=file.retrain.epochs, early_stopping=rule
    )


def _opponent(contender: Contender, data: TrainingData, before_s: float, scoring_s: float = 0.0) -> Opponent:
    return Opponent(
        title=contender.title,
        candidate=Candidate(name=contender.name, model=contender.model, values=contender.values, data=data),
        max_epochs=contender.max_epochs,
        patience=contender.early_stopping.patience,
        before_s=before_s,
        scoring_s=scoring_s,
    )
