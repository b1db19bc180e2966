"""MLflow: a run with one nested run for each training, on a server or in a file of SQLite."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from tuner.trackers.tracked import Points, RunEnd, Training
from tuner.trackers.tracker import Tracker

# Tags by which a run is found again.
_RUN, _KEY = "tuner.run", "tuner.training"
_SEARCH = "search"
# At most so many of each kind in one request, says MLflow's REST API.
_MOST_METRICS, _MOST_OTHERS = 1_000, 100
_LONGEST_TEXT = 5_000
_One = TypeVar("_One")
_UNKNOWN = re.compile(r"[^\w\-. /]")


class MlflowTracker(Tracker):
    """The run's experiment is its data set; its trainings are nested runs.

    `MLFLOW_TRACKING_URI` names the store, as everywhere in MLflow.
    """

    def open(self) -> None:
        """Find the experiment and what an earlier session has written, or make them."""
        # MLflow reports its use to its makers unless told otherwise before its import.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        from mlflow.tracking import MlflowClient

        for name in ("mlflow", "alembic", "urllib3"):
            # They would write to the terminal, addresses included.
            logging.getLogger(name).setLevel(logging.ERROR)
        self._client = MlflowClient(tracking_uri=self._uri)
        self._experiment = self._found_experiment()
        found = list(self._found_runs())
        self._ids = {run.data.tags.get(_KEY, ""): run.info.run_id for run in found}
        self._states = {run.info.run_id: run.info.status for run in found}
        self._numbers = {run.info.run_id: dict(run.data.metrics) for run in found}
        if _SEARCH not in self._ids:
            self._make(_SEARCH, self.run.name, {})

    def named(self, metric: str) -> str:
        """A name of the characters that MLflow takes."""
        return _clean(metric)

    def begin(self, training: Training) -> Points:
        """Find or make a nested run, and read its history."""
        if training.key not in self._ids:
            self.discard(training)
            return {}
        points: dict[int, dict[str, float]] = {}
        run_id = self._ids[training.key]
        for name in self._numbers[run_id]:
            for metric in self._client.get_metric_history(run_id, name):
                # Epochs count from 1; what a training has one of stands at 0.
                if metric.step:
                    points.setdefault(metric.step, {})[name] = metric.value
        return points

    def discard(self, training: Training) -> None:
        """Delete the nested run, if there is one, and make another."""
        if earlier := self._ids.get(training.key):
            self._client.delete_run(earlier)
        from mlflow.entities import Param

        parent = {"mlflow.parentRunId": self._ids[_SEARCH], "tuner.kind": training.kind}
        run_id = self._make(training.key, training.key, parent)
        params = [
            Param(_clean(name), str(value)[:_LONGEST_TEXT])
            for name, value in training.values.items()
        ]
        for some in _batches(params, _MOST_OTHERS):
            self._client.log_batch(run_id, params=some)

    def add(self, training: Training, points: Points) -> None:
        """Log metrics; a run that had ended goes on."""
        run_id = self._ids[training.key]
        self._set_state(run_id, "RUNNING")
        self._log(run_id, [(n, v, step) for step, m in points.items() for n, v in m.items()])

    def end(self, training: Training) -> None:
        """Log scores and words, and end the nested run."""
        run_id = self._ids[training.key]
        self._say(run_id, training.numbers, training.words)
        self._set_state(run_id, "FAILED" if training.has_failed else "FINISHED")

    def finish(self, end: RunEnd) -> None:
        """Log the recommendation and the numbers of the run, and end it."""
        run_id = self._ids[_SEARCH]
        self._say(run_id, end.numbers, end.words)
        is_complete = end.words["state"] == "complete"
        self._set_state(run_id, "FINISHED" if is_complete else "KILLED")

    @property
    def viewer(self) -> str:
        """MLflow's page on the file; of a server the address is yours."""
        if os.environ.get("MLFLOW_TRACKING_URI"):
            return "the server that MLFLOW_TRACKING_URI names"
        return f"mlflow ui --backend-store-uri {self._uri}"

    @property
    def _uri(self) -> str:
        usual = f"sqlite:///{(self.run.reports / 'mlflow.db').as_posix()}"
        return os.environ.get("MLFLOW_TRACKING_URI") or usual

    def _found_experiment(self) -> str:
        found = self._client.get_experiment_by_name(self.run.dataset)
        if found is None:
            return str(self._client.create_experiment(self.run.dataset))
        return str(found.experiment_id)

    def _found_runs(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment], f"tags.`{_RUN}` = '{self.run.name}'", page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _make(self, key: str, name: str, tags: Mapping[str, str]) -> str:
        run = self._client.create_run(
            self._experiment, run_name=name, tags={_RUN: self.run.name, _KEY: key, **tags}
        )
        run_id = str(run.info.run_id)
        self._ids[key], self._states[run_id], self._numbers[run_id] = run_id, "RUNNING", {}
        return run_id

    def _set_state(self, run_id: str, state: str) -> None:
        if self._states[run_id] == state:
            return
        self._states[run_id] = state
        if state == "RUNNING":
            self._client.update_run(run_id, status=state)
        else:
            self._client.set_terminated(run_id, state)

    def _say(self, run_id: str, numbers: Mapping[str, float], words: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        # MLflow keeps every value that it is given: an equal one would be there twice.
        known = self._numbers[run_id]
        new = [(n, v, 0) for n, v in numbers.items() if known.get(_clean(n)) != v]
        tags = [RunTag(_clean(name), text[:_LONGEST_TEXT]) for name, text in words.items()]
        self._log(run_id, new, tags[:_MOST_OTHERS])

    def _log(
        self, run_id: str, values: Sequence[tuple[str, float, int]], tags: Sequence[Any] = ()
    ) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_clean(name), float(value), now, step) for name, value, step in values]
        self._numbers[run_id].update((metric.key, metric.value) for metric in metrics)
        # A request holds a thousand of all kinds together.
        for some in _batches(metrics, _MOST_METRICS - _MOST_OTHERS) or [()]:
            self._client.log_batch(run_id, metrics=some, tags=tags)
            tags = ()


def _batches(items: Sequence[_One], n: int) -> list[Sequence[_One]]:
    return [items[start : start + n] for start in range(0, len(items), n)]


def _clean(name: str) -> str:
    """A name as MLflow takes it."""
    return _UNKNOWN.sub("_", name)[:250]
