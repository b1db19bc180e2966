"""`run`: check the data, search, retrain, evaluate, report."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from tuner.backend import environment
from tuner.errors import SearchError, SpaceError
from tuner.execution.executor import Executor, Reports, epoch_listener, fold_listener
from tuner.execution.make_executor import make_executor, prepare_this_process
from tuner.execution.stop import StopReason, StopRequest
from tuner.pipeline.announce import announce
from tuner.pipeline.comparison.retraining import retrain_all
from tuner.pipeline.comparison.scoring import score
from tuner.pipeline.job import Job
from tuner.pipeline.open_run import OpenedRun, opened_run
from tuner.pipeline.outputs.all_runs import write_index
from tuner.pipeline.outputs.kept_files import write_kept, write_winner
from tuner.pipeline.outputs.run_results import importance_of, results_of, write_page
from tuner.pipeline.outputs.tracking import Trackers
from tuner.pipeline.preparation.data_names import keep_name
from tuner.pipeline.preparation.prepare import prepare
from tuner.pipeline.preparation.starting_weights import load_weights
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.search_stage import check_choice, search_space, won_by
from tuner.pipeline.sizing import settle, sized
from tuner.records.events import Listener
from tuner.records.results import Results, RunState
from tuner.store.run_folder import RunFolder


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
    stopped: StopReason | None


def run(options: RunOptions, listener: Listener, request: StopRequest) -> RunOutcome:
    """Make a whole run, or the rest of one.

    Args:
        options: What you asked for.
        listener: Called for everything that happens.
        request: Once made, the run ends in order, so that it can go on another time.

    Raises:
        ConfigurationError: For mistakes in space, card or options, a folder that cannot be written,
            a run that cannot be resumed, or a tracker that is not installed.
        DataError: For data that are missing or unusable.
        SearchError: If no trial succeeded.
    """
    environment.prepare()
    began_s = time.time()
    prepared = prepare(options, listener, examines_data=True)
    load_weights(options, prepared.file)
    names = (*options.track, *prepared.file.track)
    with (
        opened_run(options, prepared, listener, request, began_s) as opened,
        Trackers(names, listener) as trackers,
    ):
        job = opened.job
        try:
            outcome = _stages(opened, trackers)
            trackers.end(outcome.results, is_stopped=outcome.stopped is not None)
            if not outcome.stopped:
                write_index(options.out, job.tell)
        except (SearchError, SpaceError):
            # Going on would only bring the same end.
            job.folder.finish()
            raise
        if not outcome.stopped:
            job.folder.finish()
    return outcome


def _stages(opened: OpenedRun, trackers: Trackers) -> RunOutcome:
    job = opened.job
    keep_name(job.card, job.options.dataset, job.options.data_dir, job.options.out)
    announce(job, opened.warnings, opened.is_resumed)
    with job.request, _executor(job) as executor:
        # TensorFlow takes seconds to import: you have seen by now that data and space are in order.
        prepare_this_process(job.options.execution)
        job = trackers.begin(sized(job, executor))
        searched = search_space(
            job,
            executor,
            lambda so_far: write_page(
                job, results_of(job, so_far, executor.n_workers, "searching")
            ),
        )
        stopped = job.request.reason
        if searched is None:
            return RunOutcome(folder=job.folder, results=None, stopped=stopped)
        # Whatever becomes of the comparison, the search was not in vain.
        state: RunState = stopped or ("complete" if job.options.search_only else "retraining")
        found = results_of(job, searched, executor.n_workers, state)
        write_winner(job, searched)
        if not stopped and job.options.choose:
            write_page(job, replace(found, run=replace(found.run, state="retraining")))
            check_choice(job)
        if not stopped:
            found = replace(found, importance=importance_of(job, searched))
        write_page(job, found)
        if stopped or job.options.search_only:
            return RunOutcome(folder=job.folder, results=found, stopped=stopped)
        job = settle(job)
        trained = retrain_all(job, searched, executor)
    stopped = job.request.reason
    if stopped or trained is None:
        found = replace(found, run=replace(found.run, state=stopped or "retraining"))
        write_page(job, found)
        return RunOutcome(folder=job.folder, results=found, stopped=stopped)
    won = replace(won_by(searched, trained.winner, job.file), finalists=trained.finalists)
    scored = score(job, trained.models, trained.winner.takes)
    ended = results_of(job, won, executor.n_workers, "complete", scored)
    found = replace(ended, importance=found.importance)
    write_kept(job, won, scored)
    write_page(job, found)
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
