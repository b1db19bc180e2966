"""`plan`: what `run` would cost, from a few measured steps of the models that it would train."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tuner.backend import environment
from tuner.commands.corners import Corner, build_corners, corners
from tuner.commands.executors import make_executor, warm_up
from tuner.commands.forecast import Known, Range, forecast
from tuner.commands.hardware import n_cores
from tuner.commands.measure import Candidate, MemoryGauge, measure
from tuner.commands.open_run import identity, open_run
from tuner.commands.opponents import Opponent, opponents
from tuner.commands.options import PRESETS, RunOptions
from tuner.commands.outputs import training_data
from tuner.commands.planned import Plan, Retraining
from tuner.commands.prepare import check_fixed_setting, load_configuration, split_settings
from tuner.commands.simulate import Cost
from tuner.data.card import Card
from tuner.data.dataset import Dataset, load_dataset
from tuner.errors import ConfigurationError, SearchError
from tuner.execution.executor import Executor, Reports
from tuner.models.registry import BUILDERS, setting_problem
from tuner.records.events import Listener, StageStarted
from tuner.search.proposals import Proposals
from tuner.search.schedule import brackets, n_new_settings
from tuner.space.definition import SearchSettings, SearchSpaceFile
from tuner.training.data import TrainingData

# Settings that are measured: of a quick search all that there are.
MAX_MEASURED = 8

# The memory of a validation step counts too; `tuner.training.fit.PREDICT_BATCH` images make a whole one.
_VALIDATION_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is planned: the run's options, space and data, and the settings that it will try first."""

    options: RunOptions
    card: Card
    file: SearchSpaceFile
    dataset: Dataset
    data: TrainingData
    settings: Sequence[Candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What was found out: models at the space's extremes, opponents, costs by name, and why others failed."""

    built: Sequence[Corner]
    problems: Sequence[str]
    others: Sequence[Opponent]
    costs: Mapping[str, Cost]
    failures: Sequence[str]

    def of(self, settings: Sequence[Candidate]) -> list[Cost]:
        """The costs of some settings, but for those that failed."""
        return [self.costs[setting.name] for setting in settings if setting.name in self.costs]


def plan(options: RunOptions, listener: Listener) -> Plan:
    """Say what a run with these options would cost; nothing is left behind.

    Args:
        options: Those of the run.
        listener: Hears what goes on.

    Raises:
        ConfigurationError: For mistakes in space, card or options, or a space of which nothing can be built.
        DataError: For data that are missing or unusable.
        SearchError: If no setting could be trained.
    """
    environment.prepare()
    began_s = time.perf_counter()
    subject = _subject(options)
    folder, is_resumed = open_run(
        options, options.out / subject.card.name, identity(options, subject.file, subject.dataset)
    )
    listener(StageStarted(title="Starting the framework"))
    is_inline = options.execution.executor == "inline"
    gauge = MemoryGauge(is_inline=is_inline)
    with (
        tempfile.TemporaryDirectory(prefix="tuner-plan-") as scratch,
        make_executor(options.execution, Reports(on_epoch=gauge.read), Path(scratch)) as executor,
    ):
        from tuner.backend.active import prepare_devices

        prepare_devices(1 if is_inline else n_cores())
        ready_s = time.perf_counter() - began_s
        measured = _measure(subject, executor, Path(scratch), listener)
        known = _known(subject, measured, executor.n_workers, ready_s)
    return _plan(subject, measured, known, gauge.peak_bytes, folder.path.as_posix() if is_resumed else None)


def _subject(options: RunOptions) -> _Subject:
    card, file = load_configuration(options)
    warm_up(options.execution)
    dataset = load_dataset(card, options.data_dir, split_settings(options, file))
    check_fixed_setting(file, dataset)
    data = training_data(dataset)
    settings = _first_settings(file, options.seed, data)
    return _Subject(options=options, card=card, file=file, dataset=dataset, data=data, settings=settings)


def _first_settings(file: SearchSpaceFile, seed: int, data: TrainingData) -> list[Candidate]:
    """The settings that the run will try first: it draws them in the same way from the same seed."""
    proposals = Proposals(
        file.space, seed, lambda values: setting_problem(file.model, values, data.spec.height, data.spec.width)
    )
    drawn = [proposals.drawn() for _ in range(_n_first(file.search))]
    found = [values for values in drawn if values is not None]
    if not found:
        reason = next(iter(proposals.rejected.values()))
        raise ConfigurationError(
            f"none of {len(proposals.rejected)} drawn settings can be built, as {reason}",
            "widen the space, or use larger images.",
        )
    return [
        Candidate(name=f"setting-{number}", model=file.model, values=values, data=data)
        for number, values in enumerate(found)
    ]


def _n_first(search: SearchSettings) -> int:
    first_rungs = sum(rungs[0].n_trials for rungs in brackets(search)) * search.iterations
    n_new = first_rungs if search.method == "hyperband" else n_new_settings(search)
    return min(MAX_MEASURED, n_new or MAX_MEASURED, search.max_trials or MAX_MEASURED)


def _measure(subject: _Subject, executor: Executor, scratch: Path, listener: Listener) -> _Measured:
    file, data, settings = subject.file, subject.data, subject.settings
    listener(StageStarted(title="Building the smallest and the largest models"))
    # Where the deepest models are impossible, so are most corners: what is drawn counts too.
    built, problems = build_corners(
        file.model, [*corners(file.space), *(setting.values for setting in settings)], data.spec
    )
    if not built:
        raise ConfigurationError(f"{file.name}: no model can be built: {problems[0]}", "mend the space or the builder.")
    others = _opponents(subject, listener)
    smallest, largest = _extremes(built, file, data)
    # What takes longest comes first, so that no worker is left alone with it: EfficientNetB2, a run's last.
    candidates = [*(other.candidate for other in reversed(others)), largest, *settings, smallest]
    listener(StageStarted(title=f"Measuring {len(candidates)} models, {executor.n_workers} at a time"))
    costs, failures = measure(candidates, executor, scratch)
    measured = _Measured(built=built, problems=problems, others=others, costs=costs, failures=failures)
    if not measured.of(settings):
        raise SearchError(f"no setting could be trained: {failures[0]}", "mend the space or the model.")
    return measured


def _opponents(subject: _Subject, listener: Listener) -> list[Opponent]:
    if subject.options.search_only:
        return []
    if "efficientnet_b2" in subject.file.compare:
        listener(StageStarted(title="Looking for EfficientNetB2's ImageNet weights"))
    preset = PRESETS[subject.options.preset]
    return list(opponents(subject.card, subject.file, preset, subject.data, len(subject.dataset.split.test)))


def _extremes(built: Sequence[Corner], file: SearchSpaceFile, data: TrainingData) -> tuple[Candidate, Candidate]:
    """The smallest model, and the largest with whole validation steps, for their memory."""
    smallest = Candidate(name="smallest", model=file.model, values=built[0].values, data=data)
    return smallest, replace(smallest, name="largest", values=built[-1].values, n_validation=_VALIDATION_BATCH)


def _known(subject: _Subject, measured: _Measured, n_workers: int, ready_s: float) -> Known:
    split, costs = subject.dataset.split, measured.costs
    return Known(
        file=subject.file,
        sizes=(len(split.train), len(split.validation), len(split.test)),
        costs=measured.of(subject.settings),
        largest_checkpoint_bytes=max(corner.checkpoint_bytes for corner in measured.built),
        opponents=[(other, costs[other.candidate.name]) for other in measured.others if other.candidate.name in costs],
        n_workers=n_workers,
        is_kept=subject.file.model in BUILDERS,
        ready_s=ready_s,
        search_only=subject.options.search_only,
    )


def _plan(subject: _Subject, measured: _Measured, known: Known, memory_bytes: int, unfinished: str | None) -> Plan:
    n_train, n_validation, n_test = known.sizes
    sizes = [corner.checkpoint_bytes for corner in measured.built]
    ends = [measured.costs[name] for name in ("smallest", "largest") if name in measured.costs]
    return Plan(
        dataset=subject.card.title,
        shape=subject.data.spec.shape,
        n_train=n_train,
        n_validation=n_validation,
        n_test=n_test,
        search=subject.file.search,
        retrainings=_retrainings(subject, measured.others),
        executor=subject.options.execution.executor,
        n_workers=known.n_workers,
        n_built=len(measured.built),
        n_impossible=len(measured.problems),
        problem=measured.problems[0] if measured.problems else "",
        n_parameters=(measured.built[0].n_parameters, measured.built[-1].n_parameters),
        checkpoint_bytes=(min(sizes), max(sizes)),
        n_measured=len(measured.costs),
        n_failed=len(measured.failures),
        failure=measured.failures[0] if measured.failures else "",
        memory_bytes=memory_bytes,
        step_s=_range([cost.step_s for cost in known.costs], [cost.step_s for cost in ends]),
        start_s=_range([cost.start_s for cost in known.costs], [cost.start_s for cost in ends]),
        forecast=forecast(known, subject.options.seed),
        unfinished=unfinished,
    )


def _retrainings(subject: _Subject, others: Sequence[Opponent]) -> tuple[Retraining, ...]:
    if subject.options.search_only:
        return ()
    rules = subject.file.retrain
    tuned = Retraining(title="Tuned", n_train=len(subject.data.train), max_epochs=rules.epochs, n_seeds=rules.seeds)
    return tuned, *(
        replace(tuned, title=other.title, n_train=len(other.candidate.data.train), max_epochs=other.max_epochs)
        for other in others
    )


def _range(typical: Sequence[float], ends: Sequence[float]) -> Range:
    """The mean of what the search draws, and the least and the most of all that was measured."""
    found = [*typical, *ends]
    return Range(low=min(found), middle=float(np.mean(typical)), high=max(found))
