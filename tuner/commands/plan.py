"""`plan`: what `run` would cost, from a few measured steps of the models that it would train."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.backend import environment
from tuner.backend.environment import gpus
from tuner.commands.comparison import backbone_rules, missing_weights
from tuner.commands.executors import make_executor, warm_up
from tuner.commands.hardware import n_cores
from tuner.commands.open_run import identity, open_run
from tuner.commands.options import PRESETS, RunOptions
from tuner.commands.outputs import training_data
from tuner.commands.prepare import check_fixed_setting, load_configuration, split_settings
from tuner.commands.search import RETRAINING_SHARE
from tuner.commands.try_builder import with_builder
from tuner.data.card import Card
from tuner.data.dataset import Dataset, load_dataset
from tuner.errors import ConfigurationError, SearchError
from tuner.execution.executor import Executor, Reports
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import (
    HEAD,
    FeatureKey,
    feature_key,
    needs_features,
    trained_part,
)
from tuner.models.registry import BUILDERS, setting_problem
from tuner.planning.corners import Corner, build_corner, corners
from tuner.planning.forecast import Forecast, Known, forecast
from tuner.planning.gauge import Gauge
from tuner.planning.measure import Candidate, Cost, Measured, measure, model_key
from tuner.records.contender import Contender
from tuner.records.events import Listener, Notice, StageStarted
from tuner.retrain.contenders import baselines, tuned_contender
from tuner.retrain.opponents import backbone_opponents
from tuner.search.methods.method import method_class
from tuner.search.proposals import Proposals, draws
from tuner.space.definition import SearchSettings, SearchSpaceFile
from tuner.space.sampling import n_settings
from tuner.training.data import TrainingData

# Settings that are measured: of a quick search all that there are.
MAX_MEASURED = 8

# Images that a frozen network is timed with: a whole batch, since smaller ones are filled up.
_N_TIMED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, and what that costs.

    Attributes:
        dataset: Title of the data set.
        shape: (height, width, channels) of the images.
        n_train: Training images of a fold.
        n_validation: Validation images of a fold.
        n_folds: Times that a trial trains, each on other parts.
        n_test: Test images.
        search: The method and its numbers.
        contenders: The comparison, the winner first; empty where it is left out.
        n_seeds: Retrainings of each.
        executor: `process`, `inline` or `ray`.
        n_workers: Trainings at a time.
        corners: Settings that were built, the smallest model first, and those that cannot be.
        costs: Of those models of the space whose steps were timed.
        failures: Why others could not be, by their names.
        memory_bytes: The most that each training process took; empty where they are out of sight.
        share: Part of a core that a training got while it was measured; None where that is not
            known.
        time_budget_s: What you allow.
        forecast: Times and disk.
        unfinished: The unfinished run that `run` would go on with; None where it would begin a new
            one.
    """

    dataset: str
    shape: tuple[int, int, int]
    n_train: int
    n_validation: int
    n_folds: int
    n_test: int
    search: SearchSettings
    contenders: tuple[Contender, ...]
    n_seeds: int
    executor: str
    n_workers: int
    corners: tuple[Corner, ...]
    costs: tuple[Cost, ...]
    failures: dict[str, str]
    memory_bytes: tuple[int, ...]
    share: float | None
    time_budget_s: float | None
    forecast: Forecast
    unfinished: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is planned: the run's identity, options, card, space and data, and some settings that it may try."""

    identity: Mapping[str, Any]
    options: RunOptions
    card: Card
    file: SearchSpaceFile
    dataset: Dataset
    data: TrainingData
    settings: Sequence[Candidate]


def plan(options: RunOptions, listener: Listener) -> Plan:
    """Say what a run with these options would cost; nothing is left behind.

    Args:
        options: Those of the run.
        listener: Called for what goes on.

    Raises:
        ConfigurationError: For mistakes in space, card or options, or a space of which nothing can
            be built.
        DataError: For data that are missing or unusable.
        SearchError: If no setting could be trained.
    """
    environment.prepare()
    began_s = time.perf_counter()
    subject = _subject(options, listener)
    folder, is_resumed, _ = open_run(options, options.out / subject.card.name, subject.identity)
    listener(StageStarted(title="Starting the framework"))
    is_inline = options.execution.executor == "inline"
    gauge = Gauge(is_inline=is_inline)
    with (
        tempfile.TemporaryDirectory(prefix="tuner-plan-") as scratch,
        make_executor(options.execution, Reports(on_epoch=gauge.read), Path(scratch)) as executor,
    ):
        from tuner.backend.active import prepare_devices

        prepare_devices(1 if is_inline else n_cores())
        ready_s = time.perf_counter() - began_s
        found = _plan(subject, executor, Path(scratch), gauge, ready_s, listener)
    return replace(found, unfinished=folder.path.as_posix() if is_resumed else None)


def _subject(options: RunOptions, listener: Listener) -> _Subject:
    card, file = load_configuration(options)
    warm_up(options.execution)
    dataset = load_dataset(card, options.data_dir, split_settings(options, file))
    check_fixed_setting(file, dataset)
    now = identity(options, file, dataset)
    file, notices = with_builder(options, card, file, dataset.spec, listener)
    for text in notices:
        listener(Notice(text=text))
    data = training_data(dataset, options.data_dir)
    settings = _some_settings(file, options.seed, data)
    return _Subject(
        identity=now,
        options=options,
        card=card,
        file=file,
        dataset=dataset,
        data=data,
        settings=settings,
    )


def _some_settings(file: SearchSpaceFile, seed: int, data: TrainingData) -> list[Candidate]:
    """The settings that a run tries first, where it draws them."""
    proposals = Proposals(
        file.space,
        seed,
        lambda values: setting_problem(file.model, values, data.spec.height, data.spec.width),
    )
    drawn = [
        proposals.first_of(draws(file.space, proposals.generator))
        for _ in range(_n_first(file.search))
    ]
    found = [values for values in drawn if values is not None]
    if not found:
        reason = next(iter(proposals.rejected.values()))
        raise ConfigurationError(
            f"none of {len(proposals.rejected)} drawn settings can be built, as {reason}",
            "widen the space, or use larger images.",
        )
    return [
        _candidate(f"setting {number}", file.model, values, data)
        for number, values in enumerate(found, start=1)
    ]


def _n_first(search: SearchSettings) -> int:
    return min(MAX_MEASURED, method_class(search.method).cost(search, None).n_settings)


def _plan(
    subject: _Subject,
    executor: Executor,
    scratch: Path,
    gauge: Gauge,
    ready_s: float,
    listener: Listener,
) -> Plan:
    file, data, options = subject.file, subject.data, subject.options
    listener(StageStarted(title="Building the smallest and the largest models"))
    found = _corners(subject)
    contenders = _contenders(subject, listener)
    candidates = _candidates(subject, contenders, found)
    listener(StageStarted(title=f"Measuring models, {executor.n_workers} at a time"))
    measured = measure(candidates, executor, scratch)
    of_space = {
        candidate.key
        for candidate in candidates
        if candidate.model.removesuffix(HEAD) == file.model
    }
    # A worker that waits for its GPU is not one that others hold up.
    share = None if gpus() else gauge.share(measured.trained_s)
    known = replace(
        _known(subject, measured, contenders),
        largest_checkpoint_bytes=max(corner.checkpoint_bytes for corner in found),
        n_workers=executor.n_workers,
        ready_s=ready_s,
        features_s=_features_s(subject, contenders),
        share=share,
    )
    return Plan(
        dataset=subject.card.title,
        shape=data.spec.shape,
        n_train=known.n_train,
        n_validation=len(data.folds[0].validation),
        n_folds=known.n_folds,
        n_test=known.n_test,
        search=file.search,
        contenders=tuple(contenders),
        n_seeds=file.retrain.seeds,
        executor=options.execution.executor,
        n_workers=executor.n_workers,
        corners=tuple(found),
        costs=tuple(cost for key, cost in measured.costs.items() if key in of_space),
        failures=dict(measured.failures),
        memory_bytes=tuple(gauge.peak_bytes.values()),
        share=share,
        time_budget_s=options.time_budget_s,
        forecast=forecast(known, options.seed),
        unfinished=None,
    )


def _known(subject: _Subject, measured: Measured, contenders: Sequence[Contender]) -> Known:
    """What the run's options and the measured costs say; the rest is what the machine says."""
    file = subject.file
    return Known(
        search=file.search,
        n_settings=n_settings(file.space),
        costs=_of_settings(subject, measured),
        contenders=_with_costs(contenders, measured),
        n_seeds=file.retrain.seeds,
        n_train=len(subject.data.folds[0].train),
        n_folds=len(subject.data.folds),
        n_test=subject.dataset.split.n_test,
        keeps_models=file.model in BUILDERS,
        limits_s=_limits_s(subject.options),
    )


def _corners(subject: _Subject) -> list[Corner]:
    """Corners of the space, and what was drawn: where the deepest models are impossible, so are most corners."""
    file, spec = subject.file, subject.data.spec
    tried = [*corners(file.space), *(setting.values for setting in subject.settings)]
    found = [build_corner(file.model, values, spec) for values in tried]
    if all(corner.problem for corner in found):
        raise ConfigurationError(
            f"{file.name}: no model can be built: {found[0].problem}",
            "mend the space or the builder.",
        )
    return sorted(found, key=lambda corner: (corner.problem is not None, corner.n_parameters))


def _contenders(subject: _Subject, listener: Listener) -> list[Contender]:
    """The comparison."""
    options, file, data = subject.options, subject.file, subject.data
    if options.search_only:
        return []
    tuned = tuned_contender(file, {}, PRESETS[options.preset].schedule)
    found = [tuned]
    if subject.card.baseline:
        found.extend(baselines(tuned, subject.card.baseline, file.compare))
    names = [name for name in file.compare if name in BACKBONES]
    if names:
        listener(StageStarted(title="Looking for pretrained weights"))
    rules = backbone_rules(options, file, data.spec)
    found.extend(backbone_opponents(tuned, names, rules, missing_weights, lambda text: None))
    return found


def _features_s(subject: _Subject, contenders: Sequence[Contender]) -> tuple[float, float]:
    """Seconds to compute what heads are trained on, and then, for each seed, what they are scored on.

    Settings with equal features compute them once; features that an earlier run has left are
    computed here all the same.
    """
    data, n_test = subject.data, subject.dataset.split.n_test
    fold = data.folds[0]
    n_seen = len(fold.train) + len(fold.validation)
    own = [(subject.file.model, setting.values) for setting in subject.settings]
    opponents = [(contender.model, contender.values) for contender in contenders[1:]]
    pairs = [
        (model, values) for model, values in (*own, *opponents) if needs_features(model, values)
    ]
    n_views: dict[FeatureKey, int] = {}
    for model, values in pairs:
        key = feature_key(model, values)
        n_views[key] = max(n_views.get(key, 1), 2 if values.get("flip") else 1)
    costs = {key: _frozen_s(key.model, key.values(), data) for key in n_views}
    before_s = sum(
        start_s + image_s * n_seen * n_views[key] for key, (start_s, image_s) in costs.items()
    )
    scored = [costs[feature_key(*pair)] for pair in opponents if trained_part(*pair) != pair[0]]
    return before_s, sum(start_s + image_s * n_test for start_s, image_s in scored)


def _frozen_s(model: str, values: Mapping[str, Any], data: TrainingData) -> tuple[float, float]:
    """Seconds until a frozen network is ready, and then per image."""
    from tuner.training.transfer import features_of

    images, times_s = data.inputs[data.folds[0].train[:_N_TIMED]], [time.perf_counter()]
    for _ in range(2):
        features_of(images, model, values, data.spec)
        times_s.append(time.perf_counter())
    began_s, ready_s, ended_s = times_s
    return max(0.0, ready_s - began_s - (ended_s - ready_s)), (ended_s - ready_s) / _N_TIMED


def _candidates(
    subject: _Subject, contenders: Sequence[Contender], found: Sequence[Corner]
) -> list[Candidate]:
    """What takes longest comes first, so that no worker is left alone with it: EfficientNetB2, a run's last."""
    model, data = subject.file.model, subject.data
    others = [
        _candidate(c.title, c.model, c.values, _fewer(data, c.max_train_images))
        for c in contenders[:0:-1]
    ]
    built = [corner for corner in found if corner.problem is None]
    largest = _candidate("the largest model", model, built[-1].values, data)
    smallest = _candidate("the smallest model", model, built[0].values, data)
    return [*others, largest, *subject.settings, smallest]


def _candidate(name: str, model: str, values: Mapping[str, Any], data: TrainingData) -> Candidate:
    """What a run trains; a head is measured on zeros in the place of features."""
    part = trained_part(model, values)
    if part != model:
        zeros = np.broadcast_to(np.float32(0), (len(data.inputs), BACKBONES[model].n_features))
        data = replace(data, inputs=zeros)
    return Candidate(name=name, model=part, values=values, data=data)


def _fewer(data: TrainingData, max_train_images: int | None) -> TrainingData:
    fold = data.folds[0]
    return replace(data, folds=(replace(fold, train=fold.train[:max_train_images]),))


def _of_settings(subject: _Subject, measured: Measured) -> list[Cost]:
    found = [
        measured.costs[setting.key] for setting in subject.settings if setting.key in measured.costs
    ]
    if not found:
        name, reason = next(iter(measured.failures.items()))
        raise SearchError(
            f"no setting could be trained; {name}: {reason}", "mend the space or the model."
        )
    return found


def _with_costs(
    contenders: Sequence[Contender], measured: Measured
) -> list[tuple[Contender, Cost | None]]:
    """The winner, whose cost nobody knows yet, and those that could be measured."""
    pairs = [
        (
            other,
            measured.costs.get(model_key(trained_part(other.model, other.values), other.values)),
        )
        for other in contenders[1:]
    ]
    return [
        *((tuned, None) for tuned in contenders[:1]),
        *((other, cost) for other, cost in pairs if cost),
    ]


def _limits_s(options: RunOptions) -> tuple[float, float]:
    """Seconds after which search and run end at the latest."""
    budget_s = math.inf if options.time_budget_s is None else options.time_budget_s
    return budget_s if options.search_only else budget_s * (1 - RETRAINING_SHARE), budget_s
