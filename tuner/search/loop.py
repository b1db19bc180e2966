"""The search loop: the study proposes, the executor trains, the study takes what became of it."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from dataclasses import replace
from typing import Protocol

from tuner.errors import SearchError
from tuner.execution.executor import Executor
from tuner.execution.run_tasks import run_tasks
from tuner.execution.stop import StopRequest
from tuner.records.error_text import reason_of
from tuner.records.events import Listener, Notice, TrialEnded, TrialStarted
from tuner.records.training import TrainResult, TrainTask
from tuner.records.trial import Trial
from tuner.search.study import Study
from tuner.search.trial_training import SearchOrder, outcome, task_of, trial_checkpoint
from tuner.space.constraints import breach_of, nearest_miss, remedy
from tuner.store.search_log import SearchLog

LOG = logging.getLogger("tuner")

# A space that fails this often from the start has nothing that works; more trials would only cost
# time.
HOPELESS_FAILURES = 10

# Of a trial that had begun when the search was over; it says nothing of the space.
UNTRAINED = "the search ended before its training did"


class TrialKeeper(Protocol):
    """Keeps trials where people look at them."""

    def keep(self, trial: Trial) -> None:
        """Keep a trial that ended."""


def search(
    order: SearchOrder,
    study: Study,
    executor: Executor,
    log: SearchLog,
    keeper: TrialKeeper,
    listener: Listener,
    request: StopRequest,
) -> list[Trial]:
    """Run all trials, or the rest of them where the log says that some were run before.

    Args:
        order: What to search for.
        study: Proposes and promotes; it has seen nothing yet.
        executor: Trains.
        log: What happened so far, and where all that happens is kept.
        keeper: Gets each trial that ends.
        listener: Called at each start and end of a trial.
        request: Once made, what runs ends after its epoch, and the search may go on another time.

    Returns:
        The trials that ended, in the order of their ends.

    Raises:
        SearchError: If no trial succeeded; the commonest reason comes first.
    """
    loop = _Loop(order, study, executor, log, keeper, listener, request)
    loop.restore()
    loop.run()
    if request.is_made():
        return loop.ended
    loop.close()
    for trial_id in {trial.trial_id for trial in loop.ended} - study.board.wanted:
        loop.remove_checkpoint(trial_id)
    if loop.has_only_failed:
        raise _all_failed(loop.ended)
    return loop.ended


class _Loop:
    """One search under way.

    Attributes:
        ended: The trials that ended.
        best: The best score so far.
    """

    def __init__(
        self,
        order: SearchOrder,
        study: Study,
        executor: Executor,
        log: SearchLog,
        keeper: TrialKeeper,
        listener: Listener,
        request: StopRequest,
    ) -> None:
        self.ended: list[Trial] = []
        self.best: float | None = None
        self._order, self._study, self._executor, self._log = order, study, executor, log
        self._keeper, self._listener, self._request = keeper, listener, request
        self._waiting: deque[Trial] = deque()
        self._running: dict[str, Trial] = {}
        self._n_tries: Counter[str] = Counter()
        self._stopped: list[tuple[Trial, TrainResult]] = []
        self._is_closed = False
        # Of the trials that the method proposed.
        self._n_good = self._n_failed = 0

    @property
    def has_only_failed(self) -> bool:
        """Whether nothing of what was searched has a score: what it began with is no find."""
        return self.best is None or (self._n_failed > 0 and self._n_good == 0)

    def restore(self) -> None:
        """Be where the log says the search was.

        Trials that had not ended are trained next, from their checkpoints.

        Raises:
            DamagedFileError: If what the log says cannot have been.
        """
        entries = self._log.read()
        history = [
            (entry.kind, entry.trial)
            for entry in entries
            if entry.trial is not None and entry.kind in ("started", "ended")
        ]
        try:
            self._study.restore(
                history, [entry.state for entry in entries if entry.kind in ("started", "closed")]
            )
        except Exception as error:
            # Its lines are whole, but somebody has written them: no setting of this space, no state
            # of a generator.
            LOG.exception("the search cannot be resumed from its log")
            raise self._log.damage(
                f"the log does not fit this search ({reason_of(error)})"
            ) from error
        self.ended = [trial for kind, trial in history if kind == "ended"]
        for trial in self.ended:
            self._count(trial)
        known = {trial.trial_id for trial in self.ended}
        self._waiting.extend(
            trial for kind, trial in history if kind == "started" and trial.trial_id not in known
        )
        self._is_closed = any(entry.kind == "closed" for entry in entries)
        scores = [trial.score for trial in self.ended if trial.score is not None]
        self.best = self._order.objective.best(scores) if scores else None
        self._remove_disposable()

    def run(self) -> None:
        """Train until nothing is left to start, time is up, or someone requests the end."""
        run_tasks(self._executor, self._next_task, self._take_result)
        # The resumed run trains nothing in a search that is closed: what they have counts now.
        for trial, result in self._stopped if self._is_closed else ():
            self._take(trial, replace(result, ended_by="deadline"))

    def close(self) -> None:
        """Search nothing any more; what was begun and could not be trained has failed."""
        self._close_log()
        while self._waiting:
            trial = self._waiting.popleft()
            self._end(replace(trial, error=UNTRAINED))

    def _close_log(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._log.close(self._study.state())

    def _is_closing(self) -> bool:
        return self._request.is_made() or self._is_over()

    def _is_over(self) -> bool:
        is_late = self._order.deadline is not None and time.time() >= self._order.deadline
        is_hopeless = self._n_good == 0 and self._n_failed >= HOPELESS_FAILURES
        # Before the first score there is nothing that could be returned.
        return self._is_closed or is_hopeless or (is_late and self.best is not None)

    def _next(self) -> Trial | None:
        if self._waiting:
            return self._waiting.popleft()
        trial = self._study.next_trial()
        if trial is not None:
            self._log.started(trial, self._study.state())
        return trial

    def _next_task(self) -> TrainTask | None:
        trial = None if self._is_closing() else self._next()
        if trial is None:
            return None
        self._running[trial.trial_id] = trial
        if not self._n_tries[trial.trial_id]:
            self._listener(TrialStarted(trial=trial))
        return task_of(trial, self._order, self._study.board.trials, self._n_tries[trial.trial_id])

    def _take_result(self, result: TrainResult) -> None:
        trial = self._running.pop(result.task_id)
        if result.ended_by != "request":
            self._take(trial, result)
        elif result.epochs:
            self._stopped.append((trial, result))

    def _take(self, trial: Trial, result: TrainResult) -> None:
        """Take what came of a trial, or train it once more."""
        if result.n_lost_workers and not result.failure:
            text = (
                f"trial {trial.trial_id}: {result.n_lost_workers} of its workers died; another"
                " worker took over"
            )
            self._listener(Notice(text=text))
        if result.failure:
            LOG.error(
                "trial %s failed: %s\n%s",
                trial.trial_id,
                result.failure.reason,
                result.failure.traceback,
            )
            # After a request it waits for the resumed run: it has not ended yet.
            if self._n_tries[trial.trial_id] < self._order.n_retries and not self._is_over():
                self._n_tries[trial.trial_id] += 1
                self._listener(
                    Notice(text=f"trial {trial.trial_id} is retried: {result.failure.reason}")
                )
                self._waiting.appendleft(trial)
                return
        if result.ended_by == "deadline":
            # Before the trial is kept: were the search to go on another time, it would be promoted
            # as if it were whole.
            self._close_log()
        ended = outcome(
            trial,
            result,
            self._order.objective,
            self._study.board.trials,
            self._n_tries[trial.trial_id],
        )
        if ended.score is not None and (problem := self._order.problem(ended)):
            # No other seed would change it.
            ended = replace(ended, score=None, error=problem, is_stopped=False)
        self._end(ended)

    def _end(self, trial: Trial) -> None:
        self._log.ended(trial)
        self.ended.append(trial)
        self._count(trial)
        self._study.end(trial)
        is_best = trial.score is not None and self._order.objective.better(trial.score, self.best)
        self.best = trial.score if is_best else self.best
        self._keeper.keep(trial)
        self._listener(TrialEnded(trial=trial, is_best=is_best))
        self._remove_disposable()

    def _count(self, trial: Trial) -> None:
        if not trial.origin and trial.error != UNTRAINED:
            self._n_good += trial.score is not None
            self._n_failed += trial.score is None

    def _remove_disposable(self) -> None:
        for trial_id in self._study.disposable():
            self.remove_checkpoint(trial_id)

    def remove_checkpoint(self, trial_id: str) -> None:
        """Delete a trial's checkpoint, if there is one: nothing goes on from it."""
        trial_checkpoint(self._order.checkpoints, trial_id).unlink(missing_ok=True)


def _all_failed(ended: list[Trial]) -> SearchError:
    trials = [trial for trial in ended if not trial.origin] or ended
    errors = [trial.error for trial in trials if trial.error]
    n_breaches = sum(breach_of(error) is not None for error in errors)
    if 2 * n_breaches > len(errors):
        return SearchError(
            f"no trial succeeded: {n_breaches} of {len(trials)} broke a constraint; the nearest:"
            f" {nearest_miss(errors)}",
            remedy(errors),
        )
    reason, n = Counter(errors).most_common(1)[0]
    return SearchError(
        f"no trial succeeded: {n} of {len(trials)} failed with: {reason}",
        "see run.log in the run's folder for the tracebacks; fix the space or the model, then run"
        " again.",
    )
