"""The search loop: the oracle proposes, the executor trains, the oracle hears how it went."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.errors import SearchError
from tuner.execution.executor import Executor
from tuner.execution.seeds import task_seed
from tuner.records.events import Listener, TrialEnded, TrialStarted
from tuner.records.training import TrainResult, TrainTask
from tuner.records.trial import Trial
from tuner.search.oracle import HyperbandOracle
from tuner.space.definition import Objective

LOG = logging.getLogger("tuner")

# A space that fails this often from the start has nothing that works; more trials would only cost time.
HOPELESS_FAILURES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOrder:
    """What the loop needs beside oracle and executor.

    Attributes:
        model: Family or builder.
        objective: What is optimised.
        seed: The run's seed.
        checkpoints: Folder for the trials' checkpoints.
    """

    model: str
    objective: Objective
    seed: int
    checkpoints: Path


def search(
    order: SearchOrder,
    oracle: HyperbandOracle,
    executor: Executor,
    listener: Listener,
    on_trial: Callable[[Trial], None],
) -> list[Trial]:
    """Run all trials.

    Args:
        order: What to search for.
        oracle: Proposes and promotes.
        executor: Trains.
        listener: Hears of starts and ends.
        on_trial: Gets each ended trial, to keep it.

    Returns:
        The trials in the order of their ends.

    Raises:
        SearchError: If no trial succeeded; the commonest reason comes first.
    """
    ended: list[Trial] = []
    running: dict[str, Trial] = {}
    best: float | None = None
    while True:
        while len(running) < executor.n_workers:
            trial = oracle.next_trial()
            if trial is None:
                break
            running[trial.trial_id] = trial
            listener(TrialStarted(trial=trial))
            executor.submit(_task(order, trial, ended))
        if not running:
            break
        result = executor.next_result()
        trial = _ended(running.pop(result.task_id), result, order.objective)
        ended.append(trial)
        if result.failure and result.failure.traceback:
            LOG.error("trial %s failed\n%s", trial.trial_id, result.failure.traceback)
        if trial.score is None:
            oracle.fail(trial.trial_id)
        else:
            oracle.complete(trial.trial_id, trial.score)
        is_best = trial.score is not None and order.objective.better(trial.score, best)
        best = trial.score if is_best else best
        on_trial(trial)
        listener(TrialEnded(trial=trial, is_best=is_best))
        if best is None and len(ended) >= HOPELESS_FAILURES:
            break
    if best is None:
        raise _all_failed(ended)
    return ended


def root(trial: Trial, trials: list[Trial]) -> Trial:
    """The trial on the first rung that this one continues; itself where it is there."""
    by_id = {t.trial_id: t for t in trials}
    while trial.parent_id is not None:
        trial = by_id[trial.parent_id]
    return trial


def winner(trials: list[Trial], objective: Objective) -> Trial:
    """The trial with the best score; of equal ones the first."""
    good = [t for t in trials if t.score is not None]
    best = objective.best(t.score for t in good if t.score is not None)
    return next(t for t in sorted(good, key=lambda t: t.trial_id) if t.score == best)


def _task(order: SearchOrder, trial: Trial, ended: list[Trial]) -> TrainTask:
    def checkpoint(trial_id: str) -> Path:
        return order.checkpoints / f"trial-{trial_id}.npz"

    return TrainTask(
        task_id=trial.trial_id,
        model=order.model,
        values=trial.values,
        # A promoted trial goes on with its parent's shuffling and dropout, as if it had never stopped.
        seed=task_seed(order.seed, int(root(trial, ended).trial_id)),
        first_epoch=trial.first_epoch,
        last_epoch=trial.last_epoch,
        resume_from=checkpoint(trial.parent_id) if trial.parent_id else None,
        save_to=checkpoint(trial.trial_id),
    )


def _ended(trial: Trial, result: TrainResult, objective: Objective) -> Trial:
    error = result.failure.reason if result.failure else None
    found = [e.metrics[objective.name] for e in result.epochs if objective.name in e.metrics]
    scores = [score for score in found if math.isfinite(score)]
    if not error and not scores:
        missing = f"the model gives no metric {objective.name}"
        error = f"{objective.name} was never a finite number" if found else missing
    return replace(
        trial,
        score=None if error else objective.best(scores),
        error=error,
        epochs=result.epochs,
        duration_s=result.duration_s,
        n_parameters=result.n_parameters,
    )


def _all_failed(trials: list[Trial]) -> SearchError:
    reasons = Counter(t.error for t in trials if t.error).most_common()
    reason, n = reasons[0]
    return SearchError(
        f"no trial succeeded: {n} of {len(trials)} failed with: {reason}",
        "see run.log in the run's folder for the tracebacks; mend the space or the model, then run again.",
    )
