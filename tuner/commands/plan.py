"""`plan`: what a run would cost, from a few measured steps of the models that it would train."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.backend import environment
from tuner.backend.environment import gpus
from tuner.execution.executor import Executor, Reports
from tuner.execution.make_executor import make_executor, prepare_this_process
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD
from tuner.pipeline.comparison.all_contenders import backbone_rules
from tuner.pipeline.costs import (
    Work,
    compared,
    known_of,
    variants,
    with_affordable,
    without_backbones,
    without_baseline,
    without_baselines_trial,
    without_last_resorts,
    work_of,
)
from tuner.pipeline.measuring import SHORTEST_S, compares_backbones, measuring_s
from tuner.pipeline.open_run import open_run
from tuner.pipeline.preparation.prepare import PreparedRun, prepare
from tuner.pipeline.preparation.remembered import read_remembered
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.sizes import Sizes, read_sizes
from tuner.pipeline.sizing import SizedRun, sizes_for
from tuner.planning.affordable import is_expense
from tuner.planning.candidates import built_corners, candidates, opponents
from tuner.planning.corners import Corner
from tuner.planning.forecast import Known, forecast
from tuner.planning.frozen_costs import FrozenTimes
from tuner.planning.gauge import Gauge
from tuner.planning.measure import Allowance, Measured, measure
from tuner.planning.plan_record import Bought, Plan
from tuner.planning.sizing import resized
from tuner.records.contender import Contender
from tuner.records.events import Event, Listener, Notice, StageAdvanced, StageStarted
from tuner.search.methods.method import method_class
from tuner.space.constraints import breach_of
from tuner.space.families import each_family

# What a plan tells of, whatever was asked for: ten minutes, an hour, and a night.
BUDGETS_S = (600.0, 3600.0, 28_800.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What is planned.

    Attributes:
        prepared: Card, space and data.
        work: What a run would train.
        unfinished: The run that it would go on with; None where it would begin a new one.
        sizes: What that run's time budget has decided; None where it has not.
    """

    prepared: PreparedRun
    work: Work
    unfinished: str | None
    sizes: Sizes | None


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
    root = options.out / prepared.card.name
    folder, is_resumed, _ = open_run(options, root, prepared.identity)
    where = folder.path.as_posix()
    config = folder.read_config() if is_resumed else {}
    remembered = prepared.remembered
    earlier = read_remembered(config, where) if is_resumed else remembered.settings
    for text in (*prepared.notices, *(() if is_resumed else remembered.notices)):
        listener(Notice(text=text))
    starts = (*prepared.starts, *earlier)
    work = work_of(options, prepared.file, prepared.dataset, starts)
    return _Planned(
        prepared=prepared,
        work=work,
        unfinished=where if is_resumed else None,
        sizes=read_sizes(config, where),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measurement:
    """What was built and timed.

    Attributes:
        corners: The smallest and the largest models.
        comparisons: The comparison, the winner first, by the pixels of its backbones' images; that
            of your options first.
        of_space: Keys of what the space searches.
        measured: Costs of all that could be timed.
        measuring_s: Seconds that it took.
    """

    corners: Sequence[Corner]
    comparisons: Mapping[int | None, Sequence[Contender]]
    of_space: Collection[str]
    measured: Measured
    measuring_s: float


def _built_and_timed(
    planned: _Planned, executor: Executor, scratch: Path, listener: Listener
) -> _Measurement:
    prepared, work = planned.prepared, planned.work
    file, data = work.file, work.data
    listener(StageStarted(title="Building the smallest and the largest models"))
    found = built_corners(file, work.settings, data.spec)
    comparisons = _comparisons(planned, listener)
    others = next(iter(comparisons.values()))
    usual = [*candidates(data, work.settings, others, found), *work.starts]
    further = [
        replace(one, name=f"{one.name} at {size} px")
        for size, others in comparisons.items()
        for one in opponents(others, data)
    ]
    listener(StageStarted(title="Measuring models"))
    began_s = time.perf_counter()
    measured = measure(
        [*usual, *further],
        executor,
        scratch,
        prepared.precision.precision,
        Allowance(seconds=measuring_s(None), at_least=work.settings),
        lambda n_done, n: listener(StageAdvanced(n_done=n_done, n=n)),
    )
    models = {family.model for family in each_family(file)}
    return _Measurement(
        corners=found,
        comparisons=comparisons,
        of_space={
            candidate.key for candidate in usual if candidate.model.removesuffix(HEAD) in models
        },
        measured=measured,
        measuring_s=time.perf_counter() - began_s,
    )


def _comparisons(planned: _Planned, listener: Listener) -> dict[int | None, list[Contender]]:
    """The comparison of your options, and those of `BUDGETS_S` with images of other sizes."""
    work, found = planned.work, dict[int | None, list[Contender]]()
    for budget_s in (work.options.time_budget_s, *BUDGETS_S):
        one = _in_budget(work, budget_s)
        size = _backbone_size(one)
        if size not in found:
            # Of what is left out, the first comparison tells.
            tell = listener if not found else _silent
            found[size] = compared(one, planned.prepared.card, tell)
    return found


def _in_budget(work: Work, budget_s: float | None) -> Work:
    return replace(work, options=replace(work.options, time_budget_s=budget_s))


def _silent(event: Event) -> None:
    """Told before."""


def _backbone_size(work: Work) -> int | None:
    """Pixels that a run resizes images to for its backbones; None where time does not matter."""
    file = work.file
    if "input_size" in file.backbone or not any(name in BACKBONES for name in file.compare):
        return None
    return backbone_rules(work.options, file, work.data.spec).input_size


def _plan(
    planned: _Planned,
    executor: Executor,
    scratch: Path,
    gauge: Gauge,
    ready_s: float,
    listener: Listener,
) -> Plan:
    found = _built_and_timed(planned, executor, scratch, listener)
    work, measured = planned.work, found.measured
    # A worker that waits for its GPU is not one that others hold up.
    share = None if gpus() else gauge.share(measured.trained_s)
    shop = _shop(work, found, executor.n_workers, ready_s, share)
    known, sizes = shop.in_budget(planned.sizes)
    others = next(iter(found.comparisons.values()))
    return Plan(
        dataset=planned.prepared.card.title,
        shape=work.data.spec.shape,
        n_train=known.n_train,
        n_validation=len(work.data.folds[0].validation),
        n_folds=known.n_folds,
        n_test=known.n_test,
        search=known.search,
        contenders=tuple(others if sizes is None else (one for one, _ in known.contenders)),
        n_seeds=known.n_seeds,
        n_repeats=known.n_repeats,
        executor=work.options.execution.executor,
        n_workers=executor.n_workers,
        constraints=work.file.constraints.words,
        n_drawn=len(work.settings) + sum(not is_expense(reason) for reason in work.rejected),
        refused=tuple(reason for reason in work.rejected if breach_of(reason)),
        corners=tuple(found.corners),
        costs=tuple(cost for key, cost in measured.costs.items() if key in found.of_space),
        failures=dict(measured.failures),
        not_measured=measured.skipped,
        measuring_s=found.measuring_s,
        memory_bytes=tuple(gauge.peak_bytes.values()),
        share=share,
        time_budget_s=work.options.time_budget_s,
        sized=sizes.text if sizes else "",
        bought=tuple(shop.bought(seconds) for seconds in BUDGETS_S),
        forecast=forecast(known, work.options.seed),
        unfinished=planned.unfinished,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    """Says what time buys.

    Attributes:
        work: What a run would train.
        by_size: What that costs, by the pixels of backbones' images as of `_Measurement`.
        measuring_s: Seconds that a run takes to measure it.
    """

    work: Work
    by_size: Mapping[int | None, Known]
    measuring_s: float

    @property
    def known(self) -> Known:
        """What a run with your options costs."""
        return next(iter(self.by_size.values()))

    def in_budget(self, sizes: Sizes | None) -> tuple[Known, Sizes | None]:
        """What a run does in your time budget, and its sizes; all of it without a budget.

        Args:
            sizes: Those of an unfinished run; None where none were decided.
        """
        budget_s = self.work.options.time_budget_s
        if budget_s is None or (sizes is None and budget_s < SHORTEST_S):
            return self.known, sizes
        if sizes is None:
            found = self.sized(budget_s)
            sizes, known = found.sizes, found.fitted.known
        else:
            known = self.of(sizes)
        search_s = budget_s - sizes.retraining_s - sizes.ending_s
        return replace(known, limits_s=(max(0.0, search_s), budget_s)), sizes

    def sized(self, budget_s: float) -> SizedRun:
        """What a run does in a time budget."""
        work = _in_budget(self.work, budget_s)
        known = without_last_resorts(self.by_size[_backbone_size(work)])
        possible = variants(
            known if compares_backbones(budget_s) else without_backbones(known), work
        )
        left_s = budget_s - self._measuring_s(budget_s)
        return sizes_for(work, possible, left_s, budget_s)

    def _measuring_s(self, budget_s: float) -> float:
        return min(self.measuring_s, measuring_s(budget_s))

    def of(self, sizes: Sizes) -> Known:
        """What an unfinished run trains, whose sizes were decided."""
        known = self.known if sizes.tries_baseline else without_baselines_trial(self.known)
        known = known if sizes.compares_baseline else without_baseline(known)
        known = with_affordable(known, self.work, sizes.most_multiply_adds)
        whole = known if sizes.has_backbones else without_backbones(known)
        return resized(whole, sizes.size)

    def bought(self, budget_s: float) -> Bought:
        """The same, for a table."""
        fitted = self.sized(budget_s).fitted
        size, known = fitted.size, fitted.known
        cost = method_class(known.search.method).cost(known.search, known.n_settings)
        return Bought(
            budget_s=budget_s,
            n_settings=cost.n_settings + len(known.starts),
            max_epochs=size.max_epochs,
            n_seeds=size.n_verdict_seeds if known.contenders else 0,
            total_s=fitted.forecast.total_s.after(self._measuring_s(budget_s)),
            fits=fitted.fits,
        )


def _shop(
    work: Work, found: _Measurement, n_workers: int, ready_s: float, share: float | None
) -> _Shop:
    """What time buys, by all that was measured."""
    times = FrozenTimes(work.data)
    return _Shop(
        work=work,
        by_size={
            size: known_of(
                work, others, found.measured, n_workers, found.corners, ready_s, share, times
            )
            for size, others in found.comparisons.items()
        },
        measuring_s=found.measuring_s,
    )
