"""The trackers of a run: fed while it goes on, or afterwards from its folder."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType

from tuner.metrics.ranking import COMPARABLE
from tuner.pipeline.job import Job
from tuner.records.events import Event, Listener, Notice, SearchResumed
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report.text import plural
from tuner.space.definition import Objective
from tuner.space.trackers import TRACKERS
from tuner.store.files.reading import DamagedFileError
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables
from tuner.trackers.background import BackgroundTracker, failure_of
from tuner.trackers.follower import Follower
from tuner.trackers.make_tracker import make_tracker
from tuner.trackers.tracked import TrackedRun
from tuner.trackers.tracker import TrackingError

# What a run waits at its end for a slow tracker; one that was stopped waits less.
PATIENCE_S = 60.0
STOPPED_PATIENCE_S = 5.0
_LOOK_S = 0.2


class Trackers:
    """The trackers of one run; whatever becomes of them, the run goes on."""

    def __init__(self, names: Sequence[str], listener: Listener) -> None:
        """Take names of `TRACKERS`, each once, and who is told of failures."""
        self._names = tuple(dict.fromkeys(names))
        self._tell = self._listener = listener
        self._running: list[BackgroundTracker] = []
        self._folder: RunFolder | None = None
        self._names_searched: tuple[str, ...] = ()
        self._has_ended = False

    def __enter__(self) -> Trackers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The journal of a run that has failed takes no more.
        self._tell = self._listener
        self._close(STOPPED_PATIENCE_S)

    def begin(self, job: Job) -> Job:
        """Start the trackers, and return the job whose events they get."""
        if not self._names:
            return job
        run = _tracked(job)
        self._folder, self._names_searched = job.folder, job.file.space.searched
        for name in self._names:
            try:
                viewer = make_tracker(name, run).viewer
            # A package that is installed may still fail as it is imported, in any way.
            except Exception as error:
                text = f"{name} does not track this run: {failure_of(error)}"
                job.tell(Notice(text=f"{text}; {self._remedy(name)}"))
                continue
            job.tell(Notice(text=f"tracked by {TRACKERS[name].title}: {viewer}"))
            self._running.append(BackgroundTracker(name, partial(make_tracker, name, run)))
        self._tell = job.tell

        def tell(event: Event) -> None:
            job.tell(event)
            self._forward(event)

        return replace(job, tell=tell)

    def end(self, results: Results | None, *, is_stopped: bool) -> None:
        """Give them the results, and wait until all is written, but not for long."""
        if results is not None:
            for tracker in self._running:
                tracker.put(results)
        self._close(STOPPED_PATIENCE_S if is_stopped else PATIENCE_S)

    def _forward(self, event: Event) -> None:
        if isinstance(event, SearchResumed):
            event = SearchResumed(trials=self._earlier(event.trials))
        for tracker in self._running:
            tracker.put(event)
        self._tell_failures()

    def _earlier(self, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
        """The trials of earlier sessions with their epochs, which the event leaves out."""
        assert self._folder is not None
        with suppress(DamagedFileError):
            return tuple(TrialTables(self._folder.path, self._names_searched).read())
        return trials

    def _close(self, patience_s: float) -> None:
        self._has_ended = True
        for tracker in self._running:
            tracker.end()
        until = time.monotonic() + patience_s
        late = [one for one in self._running if not one.wait(max(until - time.monotonic(), 0.0))]
        self._tell_failures()
        for tracker in late:
            n = tracker.n_waiting
            what = plural(n, "event") if n else "the results"
            text = f"{tracker.name} was too slow: {what} not written"
            self._tell(Notice(text=f"{text}; {self._remedy(tracker.name)}"))
        self._running = []

    def _tell_failures(self) -> None:
        for tracker in [one for one in self._running if one.failure is not None]:
            self._running.remove(tracker)
            text = f"{tracker.name} has stopped tracking this run: {tracker.failure}"
            self._tell(Notice(text=f"{text}; {self._remedy(tracker.name)}"))

    def _remedy(self, name: str) -> str:
        path = shlex.quote(self._folder.path.as_posix()) if self._folder else "RUN"
        goes_on = "" if self._has_ended else "the run continues, and "
        return f"{goes_on}`python -m tuner track {path} --to {name}` adds what is missing"


def _tracked(job: Job) -> TrackedRun:
    return TrackedRun(
        folder=job.folder.path,
        objective=job.file.objective,
        parameters=job.file.space.parameters,
        max_epochs=job.file.search.max_epochs,
        comparable=COMPARABLE,
    )


def track_ended(folder: RunFolder, names: Sequence[str], tell: Callable[[str], None]) -> None:
    """Write a run to trackers from its files.

    Args:
        folder: The run.
        names: Of `TRACKERS`.
        tell: Called with a line for each tracker.

    Raises:
        ConfigurationError: If there are no results, or a file is damaged.
        TrackingError: If a tracker fails, once the others are done.
    """
    results = folder.read_results()
    trials = tuple(TrialTables(folder.path, results.search.searched).read())
    failed: dict[str, str] = {}
    for name in names:
        try:
            tell(_written(name, _of_results(folder, results), trials, results))
        except Exception as error:
            failed[name] = failure_of(error)
    if failed:
        raise TrackingError(
            "; ".join(f"{name} failed: {why}" for name, why in failed.items()),
            "fix the cause and repeat the command; nothing is written twice.",
        )


def _of_results(folder: RunFolder, results: Results) -> TrackedRun:
    search = results.search
    return TrackedRun(
        folder=folder.path,
        objective=Objective(name=search.objective, direction=search.direction),
        parameters=search.parameters,
        max_epochs=search.max_epochs,
        comparable=COMPARABLE,
    )


def _written(name: str, run: TrackedRun, trials: tuple[Trial, ...], results: Results) -> str:
    tracker = make_tracker(name, run)
    try:
        tracker.open()
        follower = Follower(tracker)
        follower.take(SearchResumed(trials=trials))
        follower.take_results(results)
    finally:
        tracker.close()
    n = follower.n_trainings
    return f"{name}: {n} settings and retrainings; see them with: {tracker.viewer}"
