"""Reads back what each tracker has written, by the means of the tracker's own makers."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.trackers.mlflow_store import MlflowTracker
from tuner.trackers.tracked import TrackedRun


@dataclass(slots=True, kw_only=True)
class Stored:
    """A training in a store.

    Attributes:
        values: Hyperparameters as text.
        points: (step, metric) -> all values that the store has of it.
        state: `ok`, `failed` or `running`; empty where the store says nothing.
        said: All else, as text by name.
    """

    values: dict[str, str] = field(default_factory=dict)
    points: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    state: str = ""
    said: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Store:
    """All of a run: its trainings by their keys, and what is said of the run itself."""

    trainings: dict[str, Stored]
    said: dict[str, str]


def read_tensorboard(run: TrackedRun) -> Store:
    root = run.folder / "tensorboard"
    found: dict[str, Stored] = {}
    said: dict[str, str] = {}
    for path in sorted(root.rglob("events.out.tfevents.*")):
        folder = path.parent
        stored = Stored(points=defaultdict(list), state="running")
        for event in _tensorboard_events(path):
            _take_event(stored, event)
        if folder == root:
            said |= stored.said
        else:
            key = folder.name.replace("-", " ")
            assert key not in found, f"{folder} has two files"
            found[key] = stored
    return Store(trainings=found, said=said)


def _tensorboard_events(path: Path) -> Iterator[Any]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub import errors, pywrap_tensorflow

    reader = pywrap_tensorflow.PyRecordReader_New(str(path), 0, b"", None)
    while True:
        try:
            reader.GetNext()
        except errors.OutOfRangeError:
            return
        yield Event.FromString(reader.record())


def _take_event(stored: Stored, event: Any) -> None:
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    for value in event.summary.value:
        content = value.metadata.plugin_data.content
        if value.tag == metadata.SESSION_START_INFO_TAG:
            start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
            stored.values = {
                name: str(getattr(one, one.WhichOneof("kind")))
                for name, one in start.hparams.items()
            }
            stored.said["group"] = start.group_name
        elif value.tag == metadata.SESSION_END_INFO_TAG:
            end = plugin_data_pb2.HParamsPluginData.FromString(content).session_end_info
            stored.state = {1: "ok", 2: "failed"}[end.status]
        elif value.tag.endswith("/text_summary"):
            rows = value.tensor.string_val[0].decode().replace("\\|", "\0").splitlines()[2:]
            cells = [[cell.strip().replace("\0", "|") for cell in row.split("|")] for row in rows]
            stored.said |= {row[1]: row[2] for row in cells}
        elif value.WhichOneof("value") == "simple_value":
            stored.points[event.step, value.tag].append(value.simple_value)
            stored.said[value.tag] = str(value.simple_value)


def read_mlflow(run: TrackedRun) -> Store:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=MlflowTracker(run)._uri)
    experiment = client.get_experiment_by_name(run.dataset)
    runs = client.search_runs(
        [experiment.experiment_id], f"tags.`tuner.run` = '{run.name}'", max_results=1000
    )
    parents = [one for one in runs if "mlflow.parentRunId" not in one.data.tags]
    assert len(parents) == 1
    found = {}
    for one in runs:
        points = defaultdict(list)
        for name in one.data.metrics:
            for metric in client.get_metric_history(one.info.run_id, name):
                points[metric.step, name].append(metric.value)
        states = {"FINISHED": "ok", "FAILED": "failed", "RUNNING": "running"}
        said = {name: str(value) for name, value in one.data.metrics.items()} | one.data.tags
        stored = Stored(
            values=one.data.params, points=points, state=states[one.info.status], said=said
        )
        if one is parents[0]:
            whole = stored.said
        else:
            assert one.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
            assert one.data.tags["tuner.training"] not in found
            found[one.data.tags["tuner.training"]] = stored
    return Store(trainings=found, said=whole)


def study_of(run: TrackedRun) -> Any:
    """Optuna's study of a run."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(run.folder / "optuna.journal")))
    return optuna.load_study(study_name=run.name, storage=storage)


def read_optuna(run: TrackedRun) -> Store:
    from optuna.trial import TrialState

    study = study_of(run)
    states = {
        TrialState.COMPLETE: "ok",
        TrialState.PRUNED: "ok",
        TrialState.FAIL: "failed",
        TrialState.RUNNING: "running",
    }
    found = {}
    for trial in study.get_trials():
        said = {name: str(value) for name, value in trial.user_attrs.items()}
        outside = {
            name.removeprefix("value of "): text
            for name, text in said.items()
            if name.startswith("value of ")
        }
        if trial.value is not None:
            said["score"] = str(trial.value)
        # A later try takes the place of one that it has replaced.
        found[trial.user_attrs["training"]] = Stored(
            values={name: str(value) for name, value in trial.params.items()} | outside,
            points={(step, "val_accuracy"): [v] for step, v in trial.intermediate_values.items()},
            state=states[trial.state],
            said=said,
        )
    said = {name: str(value) for name, value in study.user_attrs.items()}
    for name, attributes in study.user_attrs.items():
        if name.startswith("retrained: "):
            found[name.removeprefix("retrained: ")] = Stored(
                state="ok", said={key: str(value) for key, value in attributes.items()}
            )
    return Store(trainings=found, said=said)


def read_wandb(run: TrackedRun) -> Store:
    from wandb.proto.wandb_internal_pb2 import Record

    found: dict[str, Stored] = {}
    for path in sorted(run.folder.glob("wandb/offline-run-*/*.wandb")):
        stored, key = Stored(points=defaultdict(list), state="running"), ""
        for content in _wandb_records(path.read_bytes()):
            record = Record.FromString(content)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                key = record.run.display_name
                stored.said["group"] = record.run.run_group
                for item in record.run.config.update:
                    if item.key != "_wandb":
                        stored.values[item.key] = str(json.loads(item.value_json))
            elif kind == "history":
                items = {
                    item.key or ".".join(item.nested_key): item for item in record.history.item
                }
                for name, item in items.items():
                    if not name.startswith("_"):
                        value = json.loads(item.value_json)
                        stored.points[record.history.step.num, name].append(float(value))
            elif kind == "summary":
                for item in record.summary.update:
                    name = item.key or ".".join(item.nested_key)
                    stored.said[name] = str(json.loads(item.value_json))
            elif kind == "exit":
                stored.state = "failed" if record.exit.exit_code else "ok"
        # W&B's own process may leave a file with only a header in the place of a deleted one.
        if not key:
            continue
        assert key not in found, f"{key} is there twice"
        found[key] = stored
    said = found.pop(run.name).said if run.name in found else {}
    return Store(trainings=found, said=said)


def _wandb_records(content: bytes) -> Iterator[bytes]:
    """The records of a file: LevelDB's log format after a header of seven bytes."""
    at, block, whole = 7, 32_768, b""
    while at + 7 <= len(content):
        left = block - at % block
        if left < 7:
            at += left
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        if kind == 0:
            return
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""
