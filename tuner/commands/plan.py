"""`plan`: what `run` would cost, from a few measured steps of the models that it would train."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backend import environment
from tuner.backend.environment import gpus
from tuner.execution.executor import Executor, Reports
from tuner.execution.make_executor import make_executor, prepare_this_process
from tuner.models.backbones.stages import HEAD
from tuner.models.registry import BUILDERS
from tuner.pipeline.comparison.all_contenders import contenders
from tuner.pipeline.comparison.cheap_training import is_cheap
from tuner.pipeline.open_run import open_run
from tuner.pipeline.preparation.prepare import PreparedRun, prepare
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.training_data import training_data
from tuner.planning.candidates import (
    built_corners,
    candidate_of,
    candidates,
    first_settings,
)
from tuner.planning.corners import Corner
from tuner.planning.forecast import Known, forecast
from tuner.planning.frozen_costs import features_s
from tuner.planning.gauge import Gauge
from tuner.planning.measure import Candidate, Measured, measure
from tuner.planning.measured_costs import costs_of_settings, with_costs
from tuner.planning.plan_record import Plan
from tuner.records.contender import Contender
from tuner.records.events import Listener, Notice, StageStarted
from tuner.retrain.contenders import BASELINE
from tuner.space.families import built, each_family
from tuner.space.sampling import n_settings
from tuner.training.data import TrainingData


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What is planned, and what a plan has to go by.

    Attributes:
        options: Those of the run.
        prepared: Card, space and data.
        data: What trainings may see of the data.
        settings: Those that the run draws first.
        starts: Those that it begins with.
        unfinished: The run that it would go on with; None where it would begin a new one.
    """

    options: RunOptions
    prepared: PreparedRun
    data: TrainingData
    settings: Sequence[Candidate]
    starts: Sequence[Candidate]
    unfinished: str | None


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
    planned = _planned(options, listener)
    listener(StageStarted(title="Starting the framework"))
    gauge = Gauge(is_inline=options.execution.entry.is_inline)
    with (
        tempfile.TemporaryDirectory(prefix="tuner-plan-") as scratch,
        make_executor(options.execution, Reports(on_epoch=gauge.read), Path(scratch)) as executor,
    ):
        prepare_this_process(options.execution)
        ready_s = time.perf_counter() - began_s
        return _plan(planned, executor, Path(scratch), gauge, ready_s, listener)


def _planned(options: RunOptions, listener: Listener) -> _Planned:
    prepared = prepare(options, listener, examines_data=False)
    for text in prepared.notices:
        listener(Notice(text=text))
    data = training_data(prepared.dataset, options.data_dir)
    settings = first_settings(prepared.file, options.seed, data)
    root = options.out / prepared.card.name
    folder, is_resumed, _ = open_run(options, root, prepared.identity)
    return _Planned(
        options=options,
        prepared=prepared,
        data=data,
        settings=settings,
        starts=[
            candidate_of(start.origin, *built(prepared.file, start.values, start.model), data)
            for start in prepared.starts
        ],
        unfinished=folder.path.as_posix() if is_resumed else None,
    )


def _plan(
    planned: _Planned,
    executor: Executor,
    scratch: Path,
    gauge: Gauge,
    ready_s: float,
    listener: Listener,
) -> Plan:
    file, data, options = planned.prepared.file, planned.data, planned.options
    listener(StageStarted(title="Building the smallest and the largest models"))
    found = built_corners(file, planned.settings, data.spec)
    compared = _compared(planned, listener)
    measurable = [
        *candidates(data, planned.settings, compared, found),
        *planned.starts,
    ]
    listener(StageStarted(title=f"Measuring models, {executor.n_workers} at a time"))
    measured = measure(measurable, executor, scratch, planned.prepared.precision.precision)
    models = {family.model for family in each_family(file)}
    of_space = {
        candidate.key for candidate in measurable if candidate.model.removesuffix(HEAD) in models
    }
    # A worker that waits for its GPU is not one that others hold up.
    share = None if gpus() else gauge.share(measured.trained_s)
    known = _known(planned, compared, found, measured, executor.n_workers, ready_s, share)
    return Plan(
        dataset=planned.prepared.card.title,
        shape=data.spec.shape,
        n_train=known.n_train,
        n_validation=len(data.folds[0].validation),
        n_folds=known.n_folds,
        n_test=known.n_test,
        search=file.search,
        contenders=tuple(compared),
        n_seeds=file.retrain.seeds,
        n_repeats=known.n_repeats,
        executor=options.execution.executor,
        n_workers=executor.n_workers,
        corners=tuple(found),
        costs=tuple(cost for key, cost in measured.costs.items() if key in of_space),
        failures=dict(measured.failures),
        memory_bytes=tuple(gauge.peak_bytes.values()),
        share=share,
        time_budget_s=options.time_budget_s,
        forecast=forecast(known, options.seed),
        unfinished=planned.unfinished,
    )


def _compared(planned: _Planned, listener: Listener) -> list[Contender]:
    """The comparison, but for the winner's hyperparameters; empty where it is left out."""
    if planned.options.search_only:
        return []
    prepared = planned.prepared
    tuned, *others = contenders(
        planned.options,
        prepared.card,
        prepared.file,
        planned.data.spec,
        [(prepared.file.model, {})],
        listener,
    )
    # Which family it will be of is not known yet.
    return [replace(tuned, title="Tuned"), *others]


def _known(
    planned: _Planned,
    compared: Sequence[Contender],
    found: Sequence[Corner],
    measured: Measured,
    n_workers: int,
    ready_s: float,
    share: float | None,
) -> Known:
    """What a forecast is made of."""
    file, data = planned.prepared.file, planned.data
    n_test = planned.prepared.dataset.split.n_test
    settings = [
        (setting.model.removesuffix(HEAD), setting.values)
        for setting in (*planned.settings, *planned.starts)
    ]
    return Known(
        search=file.search,
        n_settings=n_settings(file.space),
        costs=costs_of_settings(planned.settings, measured),
        starts=[measured.costs[s.key] for s in planned.starts if s.key in measured.costs],
        n_finalists=file.retrain.finalists or 1,
        n_repeats=_n_repeats(planned, compared),
        contenders=with_costs(compared, measured),
        n_seeds=file.retrain.seeds,
        n_train=len(data.folds[0].train),
        n_folds=len(data.folds),
        n_test=n_test,
        keeps_models=file.model in BUILDERS,
        largest_checkpoint_bytes=max(corner.checkpoint_bytes for corner in found),
        n_workers=n_workers,
        ready_s=ready_s,
        features_s=features_s(settings, compared[1:], data, n_test),
        share=share,
        limits_s=(
            _or_endless(planned.options.search_budget_s),
            _or_endless(planned.options.time_budget_s),
        ),
    )


def _n_repeats(planned: _Planned, compared: Sequence[Contender]) -> int:
    """How often winner and baseline are trained again, if the winner is as cheap."""
    rules = planned.prepared.file.retrain
    baseline = next((one for one in compared if one.name == BASELINE), None)
    if baseline is None or not rules.cheap_seeds or planned.options.time_budget_s is not None:
        return 0
    return rules.cheap_seeds - rules.seeds if is_cheap(baseline, planned.prepared.dataset) else 0


def _or_endless(budget_s: float | None) -> float:
    return math.inf if budget_s is None else budget_s
