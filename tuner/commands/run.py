"""`run`: check the data, search, retrain, evaluate, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from tuner.backend import environment
from tuner.commands.compare import compare
from tuner.commands.hardware import hardware, n_cores, versions
from tuner.commands.job import Job
from tuner.commands.options import RunOptions
from tuner.commands.outputs import Journal, config, recipe_header, recipe_of, training_data
from tuner.commands.prepare import check_fixed_setting, load_configuration, run_id, split_settings
from tuner.data.dataset import load_dataset, summary
from tuner.data.own_data import OWN_DATA
from tuner.errors import ConfigurationError, TunerError
from tuner.models.registry import complete, load_builder, setting_problem
from tuner.records.contender import Trained
from tuner.records.events import Listener, Notice, RunStarted, StageStarted
from tuner.records.results import ModelResult, Results, RunSummary, SearchSummary
from tuner.search.schedule import total
from tuner.store.files import write_text
from tuner.store.recipe_file import write_recipe
from tuner.store.run_folder import RunFolder

SHOWN_UNREADABLE = 5


def run(options: RunOptions, listener: Listener) -> tuple[Results, RunFolder]:
    """Make a whole run.

    Args:
        options: What the person asked for.
        listener: Hears of everything that happens.

    Returns:
        What results.json holds, and the run's folder.

    Raises:
        ConfigurationError: For mistakes in space, card or options, or a folder that cannot be written.
        DataError: For data that are missing or unusable.
        SearchError: If no trial succeeded.
    """
    started, started_at = time.perf_counter(), datetime.now(UTC)
    environment.prepare()
    card, file = load_configuration(options)
    dataset = load_dataset(card, options.data_dir, split_settings(options, file))
    check_fixed_setting(file, dataset)
    folder = RunFolder(options.out / card.name / run_id(file, dataset))
    folder.create()
    folder.write_config(config(options, file))

    def results(searched: SearchSummary, models: Sequence[ModelResult], *, is_complete: bool) -> Results:
        return Results(
            run=RunSummary(
                run_id=folder.path.name,
                folder=folder.path.as_posix(),
                is_complete=is_complete,
                preset=options.preset,
                seed=options.seed,
                started_at=started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                duration_s=time.perf_counter() - started,
                command=options.command,
                versions=versions(),
                hardware=hardware(),
            ),
            data=summary(dataset),
            search=searched,
            models=tuple(models),
        )

    with Journal(folder, listener) as journal:
        job = Job(options=options, card=card, file=file, dataset=dataset, folder=folder, tell=journal.tell)
        try:
            _announce(job)
            # TensorFlow takes seconds to import: the person has seen by now that data and space are in order.
            from tuner.backend.active import prepare_devices

            prepare_devices(n_cores())
            _check_builder(file.model)
            searched = _search(job)
            # Whatever becomes of the comparison, the search was not in vain.
            found = results(searched, (), is_complete=options.search_only)
            _write(job, found, ())
            if not options.search_only:
                models, tuned = compare(job, searched)
                found = results(searched, models, is_complete=True)
                _write(job, found, tuned)
        finally:
            # Nothing continues from them, and they hold weights and optimizer of every trial.
            folder.remove_checkpoints()
    return found, folder


def _check_builder(model: str) -> None:
    """Refuse a builder that cannot be imported, before it fails every trial in turn."""
    try:
        load_builder(model)
    except TunerError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f'model "{model}": its module cannot be imported: {type(error).__name__}: {error}',
            "mend the module; the traceback is in run.log in the run's folder.",
        ) from error


def _announce(job: Job) -> None:
    n_trials, n_epochs = total(job.file.search)
    split, unreadable = job.dataset.split, job.dataset.images.unreadable
    job.tell(
        RunStarted(
            dataset=job.card.title,
            n_train=len(split.train),
            n_validation=len(split.validation),
            n_test=len(split.test),
            folder=str(job.folder.path),
            n_trials=n_trials,
            n_epochs=n_epochs,
            objective=job.file.objective.name,
            direction=job.file.objective.direction,
        )
    )
    if job.file.dataset not in (None, job.card.name):
        job.tell(Notice(text=f"{job.file.name} was written for {job.file.dataset}, and is used for {job.card.name}"))
    if job.card.source == OWN_DATA:
        height, width, channels = job.dataset.spec.shape
        job.tell(Notice(text=f"images are brought to {height}x{width}, {'grey' if channels == 1 else 'colour'}"))
    for text in unreadable[:SHOWN_UNREADABLE]:
        job.tell(Notice(text=f"skipped, cannot be read: {text}"))
    if len(unreadable) > SHOWN_UNREADABLE:
        job.tell(Notice(text=f"{len(unreadable)} images in all could not be read; the report names them"))


def _search(job: Job) -> SearchSummary:
    from tuner.execution.executor import InlineExecutor, epoch_listener
    from tuner.search.loop import SearchOrder, search, winner
    from tuner.search.oracle import HyperbandOracle

    file, spec, started = job.file, job.dataset.spec, time.perf_counter()
    oracle = HyperbandOracle(
        space=file.space,
        objective=file.objective,
        settings=file.search,
        seed=job.options.seed,
        problem=lambda values: setting_problem(file.model, values, spec.height, spec.width),
    )
    job.tell(StageStarted(title="Searching"))
    names = [parameter.name for parameter in file.space.parameters]
    trials = search(
        SearchOrder(
            model=file.model, objective=file.objective, seed=job.options.seed, checkpoints=job.folder.checkpoints
        ),
        oracle,
        InlineExecutor(training_data(job.dataset), epoch_listener(job.tell)),
        job.tell,
        lambda trial: job.folder.append_trial(trial, names),
    )
    best = winner(trials, file.objective)
    assert best.score is not None
    return SearchSummary(
        model=file.model,
        method=file.search.method,
        max_epochs=file.search.max_epochs,
        factor=file.search.factor,
        iterations=file.search.iterations,
        objective=file.objective.name,
        direction=file.objective.direction,
        n_trials=len(trials),
        n_failed=sum(trial.status == "failed" for trial in trials),
        n_rejected=oracle.n_rejected,
        n_epochs=sum(len(trial.epochs) for trial in trials),
        duration_s=time.perf_counter() - started,
        best_trial_id=best.trial_id,
        best_score=best.score,
        best_values=complete(file.model, best.values),
        searched=tuple(names),
    )


def _write(job: Job, results: Results, tuned: Sequence[Trained]) -> None:
    # scikit-learn and matplotlib take a second to import, which an early mistake need not wait for.
    from tuner.report.page import render

    job.folder.write_results(results)
    write_recipe(recipe_of(job, results, tuned), job.folder.recipe, recipe_header(job.folder))
    # From the files, as `report` does it, so that both write the same page.
    write_text(job.folder.report, render(results, job.folder.read_trials()))
