"""`run`: check the data, search, retrain, evaluate, report."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tuner.backend import environment
from tuner.commands.announce import announce
from tuner.commands.check import check_before_run
from tuner.commands.comparison import Scored, retrain_all, score
from tuner.commands.data_names import keep_name
from tuner.commands.declare import kept, resumed
from tuner.commands.executors import make_executor, warm_up
from tuner.commands.hardware import hardware, n_cores, versions
from tuner.commands.index import write_index
from tuner.commands.job import Job
from tuner.commands.open_run import identity, open_run
from tuner.commands.options import RunOptions
from tuner.commands.outputs import Journal, config, recipe_header, recipe_of, unless_deleted
from tuner.commands.prepare import (
    check_fixed_setting,
    load_configuration,
    searched_weights,
    split_settings,
)
from tuner.commands.search import search_space
from tuner.commands.try_builder import with_builder
from tuner.data.dataset import load_dataset, split_rows, summary
from tuner.errors import SearchError, SpaceError
from tuner.execution.executor import Executor, Reports, epoch_listener, fold_listener
from tuner.execution.stop import StopRequest
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.registry import complete
from tuner.records.contender import Trained
from tuner.records.events import Listener, Notice
from tuner.records.importance import Importance
from tuner.records.results import Results, RunSummary, SearchSummary, State
from tuner.report.text import plural
from tuner.space.definition import SearchSpaceFile
from tuner.store.recipe_file import write_recipe
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

LOG = logging.getLogger("tuner")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run has come to.

    Attributes:
        folder: The run's folder.
        results: What results.json holds; None where a run was stopped before its first score.
        stopped: `interrupted` or `terminated`, where you asked for the end; else None.
    """

    folder: RunFolder
    results: Results | None
    stopped: str | None


def run(options: RunOptions, listener: Listener, request: StopRequest) -> RunOutcome:
    """Make a whole run, or the rest of one.

    Args:
        options: What you asked for.
        listener: Called for everything that happens.
        request: Once made, the run ends in order, so that it can go on another time.

    Raises:
        ConfigurationError: For mistakes in space, card or options, a folder that cannot be written,
            or a run that cannot be resumed.
        DataError: For data that are missing or unusable.
        SearchError: If no trial succeeded.
    """
    environment.prepare()
    began_s = time.time()
    card, file = load_configuration(options)
    warm_up(options.execution)
    dataset = load_dataset(card, options.data_dir, split_settings(options, file))
    check_fixed_setting(file, dataset)
    warnings = check_before_run(dataset.images, card, options.dataset)
    now = identity(options, file, dataset)
    file, notices = with_builder(options, card, file, dataset.spec, listener)
    warnings = [*warnings, *notices]
    _check_weights(options, file)
    folder, is_resumed, passed_over = open_run(options, options.out / card.name, now)
    warnings = [*warnings, *passed_over]
    if dataset.images.is_mended:
        warnings.append("the cache of the images was damaged; they were decoded again")
    if not is_resumed:
        folder.create()
    with folder.locked(), unless_deleted(folder):
        if folder.write_split(split_rows(dataset)) and is_resumed:
            warnings.append("split.csv was missing or changed, and is written again")
        if not is_resumed:
            # Last, since a folder without it counts as never begun.
            folder.write_config(
                config(options, now, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}") | kept(file)
            )
        file = resumed(file, folder.read_config(), f"{folder.path}/config.yaml")
        folder.events.mend()
        if n_odd := folder.events.n_odd():
            warnings.append(
                f"events.jsonl: {plural(n_odd, 'line')} passed over that no run has written"
            )
        with Journal(folder, listener) as journal:
            job = Job(
                options=options,
                card=card,
                file=file,
                dataset=dataset.sealed(),
                folder=folder,
                tell=journal.tell,
                request=request,
                began_s=began_s,
                earlier_s=folder.events.spent_s(),
            )
            try:
                outcome = _run(job, warnings, is_resumed)
                if not outcome.stopped:
                    write_index(options.out, job.tell)
            except (SearchError, SpaceError):
                # Going on would only bring the same end.
                folder.finish()
                raise
            if not outcome.stopped:
                folder.finish()
    return outcome


def _run(job: Job, warnings: Sequence[str], is_resumed: bool) -> RunOutcome:
    keep_name(job.card, job.options.dataset, job.options.data_dir, job.options.out)
    announce(job, warnings, is_resumed)
    with job.request, _executor(job) as executor:
        # TensorFlow takes seconds to import: you have seen by now that data and space are in order.
        _prepare_devices(job.options)
        searched = search_space(
            job,
            executor,
            lambda so_far: _write_page(job, _results(job, so_far, executor.n_workers, "searching")),
        )
        stopped = job.request.reason
        if searched is None:
            return RunOutcome(folder=job.folder, results=None, stopped=stopped)
        # Whatever becomes of the comparison, the search was not in vain.
        state: State = stopped or ("complete" if job.options.search_only else "retraining")
        found = _results(job, searched, executor.n_workers, state)
        _write(job, found, ())
        if stopped:
            return RunOutcome(folder=job.folder, results=found, stopped=stopped)
        found = replace(found, importance=_importance(job, searched))
        _write_page(job, found)
        if job.options.search_only:
            return RunOutcome(folder=job.folder, results=found, stopped=None)
        trained = retrain_all(job, searched, executor)
    stopped = job.request.reason
    if stopped or trained is None:
        found = replace(found, run=replace(found.run, state=stopped or "retraining"))
        _write_page(job, found)
        return RunOutcome(folder=job.folder, results=found, stopped=stopped)
    ended = _results(job, searched, executor.n_workers, "complete", score(job, trained))
    found = replace(ended, importance=found.importance)
    _write(job, found, trained[0][1])
    return RunOutcome(folder=job.folder, results=found, stopped=None)


def _executor(job: Job) -> Executor:
    scratch = job.folder.state / "scratch"
    return make_executor(job.options.execution, _reports(job), scratch, job.folder.log)


def _reports(job: Job) -> Reports:
    return Reports(
        on_epoch=epoch_listener(job.tell_epoch),
        on_fold=fold_listener(job.tell),
        is_stopping=job.request.is_made,
    )


def _results(
    job: Job, searched: SearchSummary, n_workers: int, state: State, scored: Scored | None = None
) -> Results:
    found = scored or Scored()
    return Results(
        run=RunSummary(
            run_id=job.folder.path.name,
            folder=job.folder.path.as_posix(),
            state=state,
            preset=job.options.preset,
            seed=job.options.seed,
            started_at=job.folder.started_at(),
            duration_s=job.earlier_s + time.time() - job.began_s,
            command=job.options.command,
            versions=versions(),
            hardware=hardware(job.options.execution.executor, n_workers),
        ),
        data=summary(job.dataset),
        search=searched,
        models=found.models,
        differences=found.differences,
        temperature=found.temperature,
        gallery=found.gallery,
        activations=found.activations,
    )


def _prepare_devices(options: RunOptions) -> None:
    from tuner.backend.active import prepare_devices

    prepare_devices(1 if options.execution.executor == "inline" else n_cores())


def _check_weights(options: RunOptions, file: SearchSpaceFile) -> None:
    """Refuse weights that cannot be used, before they fail every trial in turn, or the comparison; downloads them.

    Of the opponents those with weights of your own: without ImageNet's, a run does what it can.

    Raises:
        WeightsError: With the reason, and how to do without.
    """
    if file.model not in BACKBONES and "weights" not in file.backbone:
        return
    _prepare_devices(options)
    from tuner.models.backbones.network import build_network

    opponents = [name for name in file.compare if name in BACKBONES and "weights" in file.backbone]
    wanted = [(name, file.backbone) for name in opponents]
    if file.model in BACKBONES:
        wanted += [(file.model, {"weights": weights}) for weights in searched_weights(file)]
    for name, values in wanted:
        build_network(BACKBONES[name], complete(name, values))


def _importance(job: Job, searched: SearchSummary) -> Importance | None:
    """What mattered in the search, now that it has ended; without it a run has lost nothing that it needs."""
    from tuner.metrics.importance import importance

    trials = TrialTables(job.folder.path).read()
    try:
        return importance(trials, searched.parameters, searched.direction, job.options.seed)
    except Exception as error:
        LOG.exception("the importance of the hyperparameters could not be computed")
        job.tell(
            Notice(
                text=f"what mattered in the search is not known: {type(error).__name__}: {error}"
            )
        )
        return None


def _write(job: Job, results: Results, tuned: Sequence[Trained]) -> None:
    header = recipe_header(job.folder, results.search.best_values)
    write_recipe(recipe_of(job, results, tuned), job.folder.recipe, header)
    _write_page(job, results)


def _write_page(job: Job, results: Results) -> None:
    # scikit-learn and matplotlib take a second to import, which an early mistake need not wait for.
    from tuner.commands.report import rebuild

    job.folder.write_results(results)
    # From the files, as `report` does it, so that both write the same page.
    rebuild(job.folder)
