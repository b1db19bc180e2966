"""The numbers of a run and its page, written again whenever more is known."""

from __future__ import annotations

import logging
import time

from tuner.data.dataset import summary
from tuner.pipeline.comparison.scoring import Scored
from tuner.pipeline.job import Job
from tuner.pipeline.outputs.hardware import hardware
from tuner.pipeline.versions import versions
from tuner.records.events import Notice
from tuner.records.importance import Importance
from tuner.records.results import Results, RunState, RunSummary
from tuner.records.search_summary import SearchSummary
from tuner.store.trial_tables import TrialTables

LOG = logging.getLogger("tuner")


def results_of(
    job: Job, searched: SearchSummary, n_workers: int, state: RunState, scored: Scored | None = None
) -> Results:
    """What results.json holds of a run.

    Args:
        job: The run.
        searched: What its search has found.
        n_workers: Trainings at a time.
        state: How far the run has come.
        scored: What the test images say; None before they were looked at.
    """
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
            hardware=hardware(job.options.execution.executor, n_workers, job.precision),
        ),
        data=summary(job.dataset),
        search=searched,
        recommendation=found.recommendation,
        models=found.models,
        differences=found.differences,
        temperature=found.temperature,
        gallery=found.gallery,
        activations=found.activations,
        label_issues=found.label_issues,
    )


def importance_of(job: Job, searched: SearchSummary) -> Importance | None:
    """What mattered in the search; None, and a notice, where that cannot be computed."""
    from tuner.metrics.importance import importance

    trials = TrialTables(job.folder.path).read()
    try:
        return importance(trials, searched.parameters, searched.direction, job.options.seed)
    except Exception as error:
        LOG.exception("the importance of the hyperparameters could not be computed")
        job.tell(
            Notice(
                text=(
                    "the importance of the hyperparameters could not be computed:"
                    f" {type(error).__name__}: {error}"
                )
            )
        )
        return None


def write_page(job: Job, results: Results) -> None:
    """Write results.json and report.html."""
    # matplotlib takes half a second to import, which an early mistake need not wait for.
    from tuner.pipeline.outputs.run_page import rebuild

    job.folder.write_results(results)
    # From the files, as `report` does it, so that both write the same page.
    rebuild(job.folder)
