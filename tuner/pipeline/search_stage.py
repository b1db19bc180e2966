"""The search of a run, from its log on."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tuner.execution.executor import Executor
from tuner.metrics.ranking import winner
from tuner.metrics.score_text import decimal
from tuner.metrics.trade_offs import chosen, front, latency_noise, none_chosen, options
from tuner.models.registry import complete
from tuner.pipeline.comparison.extra_rows import n_candidates
from tuner.pipeline.job import Job
from tuner.pipeline.measured_settings import measured
from tuner.pipeline.outputs.news import News
from tuner.pipeline.trained_models import trained_problem
from tuner.pipeline.training_data import training_data
from tuner.planning.affordable import is_expense, problem_of
from tuner.records.events import SEARCHING, Event, Notice, SearchResumed, StageStarted
from tuner.records.search_summary import SearchSummary
from tuner.records.training import IMAGES
from tuner.records.trial import Trial
from tuner.report.text import plural
from tuner.search.methods.method import method_class
from tuner.search.study import Study, make_study
from tuner.search.trial_training import SearchOrder
from tuner.space.constraints import breach_of
from tuner.space.costs import COSTS
from tuner.space.definition import FAMILY, SearchSpaceFile
from tuner.space.families import built
from tuner.space.sampling import n_settings
from tuner.store.files.reading import DamagedFileError
from tuner.store.history import ended_trials
from tuner.store.trial_tables import TrialTables

# Trade-offs in the line that tells them.
_MOST_SHOWN = 4


def search_space(
    job: Job, executor: Executor, publish: Callable[[SearchSummary], None]
) -> SearchSummary | None:
    """Search, and say what was found; None where the search was stopped before its first score.

    Args:
        job: The run.
        executor: Trains.
        publish: Is called now and then while the search goes on, with what it has found so far.

    Raises:
        ConfigurationError: If no setting of the space can be built and keeps the constraints.
        SearchError: If no trial succeeded.
    """
    from tuner.search.loop import search

    file = job.file
    tables = TrialTables(job.folder.path, file.space.searched)
    study = study_of(job, executor.n_workers)
    job.epoch_watchers.append(study.take_epoch)

    def tell(event: Event) -> None:
        job.tell(event)
        news.hear(event)

    executor.add_data(IMAGES, training_data(job.dataset, job.options.data_dir, job.folder.features))
    job.tell(StageStarted(title=SEARCHING))
    earlier = _tell_what_is_there(job, tables)
    news = News(earlier, lambda trials: publish(_summary(job, trials, study)))
    trials = search(_order(job), study, executor, job.folder.search_log, tables, tell, job.request)
    if all(trial.score is None for trial in trials):
        tables.rewrite(trials)
        return None
    if file.costs and not job.request.is_made():
        # An earlier session may have measured, of which the log alone tells.
        trials = measured(job, ended_trials(job.folder.search_log.read()))
    # Row by row they were appended without waiting for the disk.
    tables.rewrite(trials)
    found = _summary(job, trials, study)
    for text in _notices(job, found, trials):
        job.tell(Notice(text=text))
    return found


def study_of(job: Job, n_workers: int) -> Study:
    """The trials of the search, by its method, before any of them was trained."""
    file = job.file
    return make_study(
        space=file.space,
        objective=file.objective,
        settings=file.search,
        seed=job.options.seed,
        problem=lambda values: problem_of(file, values, job.dataset.spec),
        n_workers=n_workers,
        n_wanted=n_candidates(file),
        starts=job.starts,
    )


def _order(job: Job) -> SearchOrder:
    file = job.file
    return SearchOrder(
        model=file.model,
        families=file.families,
        objective=file.objective,
        seed=job.options.seed,
        checkpoints=job.folder.state,
        patience=file.search.patience,
        schedule_epochs=file.search.max_epochs,
        n_retries=job.options.retries,
        deadline=job.search_deadline,
        precision=job.precision,
        problem=trained_problem(job),
    )


def _notices(job: Job, found: SearchSummary, trials: Sequence[Trial]) -> Iterator[str]:
    """What is told of a search that has ended."""
    if refused := found.refused:
        yield f"constraints: {refused}"
    if found.ending:
        yield f"the search ended early: {found.ending}"
    yield from _trade_offs(job, trials)


def _trade_offs(job: Job, trials: Sequence[Trial]) -> Iterator[str]:
    """What there is to choose from where the space has several objectives, in a line."""
    file = job.file
    found = options(trials, file.objective, file.costs)
    if not file.costs or not found:
        return
    best = front(found, file.objective, file.costs, latency_noise(trials))
    shown = [
        f"{decimal(one.score, 4)} at "
        + ", ".join(
            f"{decimal(cost, COSTS[name].decimals)} {name}"
            for name, cost in zip(file.costs, one.costs, strict=True)
        )
        for one in best[:_MOST_SHOWN]
    ]
    more = f"; and {len(best) - len(shown)} more" if len(best) > len(shown) else ""
    yield (
        f"trade-offs: {len(best)} of {plural(len(found), 'setting')} are beaten by no other:"
        f" {'; '.join(shown)}{more}"
    )


def check_choice(job: Job) -> None:
    """Refuse to go on with a winner that does not keep the limits of `--choose`.

    Raises:
        ConfigurationError: If no setting keeps them, with the nearest.
    """
    trials, limits = ended_trials(job.folder.search_log.read()), job.options.choose
    if chosen(trials, job.file.objective, limits) is None:
        path = shlex.quote(job.folder.path.as_posix())
        raise none_chosen(
            trials,
            job.file.objective,
            limits,
            "repeat the command with another --choose, which reuses this search; or train one of"
            f" its settings: python -m tuner train --from {path} --choose ...",
        )


def _tell_what_is_there(job: Job, tables: TrialTables) -> list[Trial]:
    """Bring the tables in line with the log, and return the trials of earlier sessions.

    Raises:
        DamagedFileError: If the log is damaged, or gone.
    """
    log = job.folder.search_log
    entries = log.read()
    ended = ended_trials(entries)
    n_rows = _n_rows(tables)
    if n_rows and not entries:
        raise log.damage(
            f"the log is missing or empty, though trials.csv holds {plural(n_rows, 'trial')}"
        )
    if log.n_doubled:
        job.tell(
            Notice(
                text=(
                    f"{plural(log.n_doubled, 'line')} of state/trials.jsonl skipped as duplicates"
                )
            )
        )
    if n_rows > len(ended):
        job.tell(Notice(text=missing_text(n_rows - len(ended))))
    tables.rewrite(ended)
    if ended:
        # Their curves are in the tables; every session would write all of them into its events
        # again.
        job.tell(SearchResumed(trials=tuple(replace(trial, epochs=()) for trial in ended)))
    return ended


def missing_text(n: int) -> str:
    """That `n` trials of the tables are missing from the log."""
    are, again = ("is", "it is") if n == 1 else ("are", "they are")
    return (
        f"{plural(n, 'trial')} of trials.csv {are} missing from state/trials.jsonl; {again} trained"
        " again"
    )


def _n_rows(tables: TrialTables) -> int:
    """Trials in the tables; none where those are damaged: they are written again from the log."""
    try:
        return len(tables.read())
    except DamagedFileError:
        return 0


def _summary(job: Job, trials: Sequence[Trial], study: Study) -> SearchSummary:
    file = job.file
    method = method_class(file.search.method)
    found = chosen(trials, file.objective, job.options.choose)
    is_chosen, best = found is not None, found or winner(trials, file.objective)
    n_refused = sum(breach_of(reason) is not None for reason in study.rejected)
    n_too_long = sum(map(is_expense, study.rejected))
    summary = SearchSummary(
        model=file.model,
        method=file.search.method,
        method_words=words_of(method.words(file.search), study.ending),
        ending=study.ending,
        objectives=file.objectives,
        latency_noise=latency_noise(trials) if "latency_ms" in file.costs else None,
        choose=tuple(limit.words for limit in job.options.choose if is_chosen),
        max_epochs=file.search.max_epochs,
        factor=file.search.factor,
        iterations=file.search.iterations,
        objective=file.objective.name,
        direction=file.objective.direction,
        n_trials=len(trials),
        n_failed=sum(trial.status == "failed" for trial in trials),
        n_stopped=sum(trial.status == "stopped" for trial in trials),
        n_rejected=len(study.rejected) - n_refused - n_too_long,
        n_epochs=sum(len(trial.epochs) for trial in trials),
        duration_s=job.folder.events.spent_s(SEARCHING),
        best_trial_id="",
        best_score=0.0,
        best_values={},
        parameters=file.space.parameters,
        n_planned=method.cost(file.search, n_settings(file.space)).n_trials + len(job.starts),
        families=tuple(family.name for family in file.families),
        sized=job.sizes.text if job.sizes else "",
        constraints=file.constraints.words,
        n_refused=n_refused,
        n_too_long=n_too_long,
        n_over=sum(breach_of(trial.error) is not None for trial in trials),
    )
    return won_by(summary, best, file)


def words_of(method: str, ending: str) -> str:
    """A method in words, and why it ended the search before its limits, if it did."""
    return f"{method}; ended early, as {ending}" if ending else method


def won_by(summary: SearchSummary, trial: Trial, file: SearchSpaceFile) -> SearchSummary:
    """The same search with this trial as its winner, which has a score."""
    assert trial.score is not None
    model, values = built(file, trial.values, trial.model)
    is_inside = bool(file.families) and trial.model is None
    return replace(
        summary,
        best_trial_id=trial.trial_id,
        best_score=trial.score,
        best_values=complete(model, values),
        best_model=None if model == summary.model else model,
        best_origin=trial.origin,
        best_family=trial.values[FAMILY] if is_inside else "",
    )
