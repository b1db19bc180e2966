"""TensorBoard: event files with scalars and HParams, in the run's folder.

TensorBoard's own writers import TensorFlow, which takes seconds; its records and messages do not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.space.definition import Parameter
from tuner.trackers.tracked import SCORE, Points, RunEnd, Training
from tuner.trackers.tracker import Tracker

_FILES = "events.out.tfevents.*"
_TEST_METRICS = ("test_accuracy", "test_balanced_accuracy", "test_macro_f1")


class TensorBoardTracker(Tracker):
    """One folder of event files for each training, and one for the search.

    Its numbers are floats of 32 bits.
    """

    def open(self) -> None:
        """Write what is searched, for the HParams page."""
        self._root = self.run.folder / "tensorboard"
        self._files: dict[str, Path] = {}
        self._start("")
        self._write("", 0, _hparams(experiment=_experiment(self.run.axes, self.run.objective.name)))

    def begin(self, training: Training) -> Points:
        """Start anew: files of an earlier session may end in the middle of a record."""
        self.discard(training)
        return {}

    def discard(self, training: Training) -> None:
        """Replace the files of the training."""
        self._start(_place(training))
        axes = self.run.axes
        values = {
            name: _plain(value, axes[name])
            for name, value in training.values.items()
            if name in axes
        }
        session = _session(values, training)
        self._write(_place(training), 0, _hparams(session_start_info=session))

    def add(self, training: Training, points: Points) -> None:
        """Write scalars."""
        for step, metrics in points.items():
            self._write(_place(training), step, *_scalars(metrics))

    def end(self, training: Training) -> None:
        """Write test scores; a setting's own scores are points."""
        if training.kind == "retraining":
            step = int(training.numbers["best_epoch"])
            self._write(_place(training), step, *_scalars(_tests(training)))

    def settle(self, training: Training) -> None:
        """Write how it ended and what else there is to say: TensorBoard takes both once only."""
        from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

        status = api_pb2.STATUS_FAILURE if training.has_failed else api_pb2.STATUS_SUCCESS
        end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
        said = {**training.words, **training.numbers}
        self._write(_place(training), 0, _hparams(session_end_info=end), _text("about", said))

    def finish(self, end: RunEnd) -> None:
        """Write the recommendation and the numbers of the run."""
        self._write("", 0, _text("run", {**end.words, **end.numbers}))

    @property
    def viewer(self) -> str:
        """TensorBoard on the run's event files."""
        return f"tensorboard --logdir {(self.run.folder / 'tensorboard').as_posix()}"

    def _start(self, place: str) -> None:
        folder = self._root / place
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(_FILES):
            path.unlink()
        # A new name: TensorBoard reads on where it was in a file that it has open.
        self._files[place] = folder / f"events.out.tfevents.{time.time_ns()}.tuner"
        self._append(place, _event(file_version="brain.Event:2"))

    def _write(self, place: str, step: int, *values: Any) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._append(place, _event(step=step, summary=Summary(value=values)))

    def _append(self, place: str, event: Any) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        with open(self._files[place], "ab") as file:
            RecordWriter(file).write(event.SerializeToString())


def _place(training: Training) -> str:
    return f"{training.kind}s/{training.slug}"


def _event(**fields: Any) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=time.time(), **fields)


def _scalars(metrics: Mapping[str, float]) -> list[Any]:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]


def _tests(training: Training) -> dict[str, float]:
    return {name: value for name, value in training.numbers.items() if name.startswith("test_")} | (
        {SCORE: training.score} if training.score is not None else {}
    )


def _text(tag: str, said: Mapping[str, Any]) -> Any:
    """A table in Markdown for the page of texts."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    rows = [f"| {name} | {_cell(value)} |" for name, value in said.items()]
    text = "\n".join(["| | |", "| --- | --- |", *rows])
    return Summary.Value(
        tag=f"{tag}/text_summary",
        metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text")),
        tensor=TensorProto(
            dtype=DT_STRING, tensor_shape=TensorShapeProto(), string_val=[text.encode()]
        ),
    )


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|")


def _hparams(**data: Any) -> Any:
    """A message of the HParams page; its name decides the tag."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    tags = {
        "experiment": metadata.EXPERIMENT_TAG,
        "session_start_info": metadata.SESSION_START_INFO_TAG,
        "session_end_info": metadata.SESSION_END_INFO_TAG,
    }
    return Summary.Value(
        tag=tags[next(iter(data))],
        metadata=metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**data)),
        tensor=metadata.NULL_TENSOR,
    )


def _session(values: Mapping[str, Any], training: Training) -> Any:
    """The start of a training; the seeds of a contender are one group."""
    from tensorboard.plugins.hparams import plugin_data_pb2

    session = plugin_data_pb2.SessionStartInfo(
        group_name=training.words.get("contender", training.key), start_time_secs=time.time()
    )
    for name, value in values.items():
        if isinstance(value, bool):
            session.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            session.hparams[name].number_value = value
        else:
            session.hparams[name].string_value = str(value)
    return session


def _experiment(axes: Mapping[str, Parameter], objective: str) -> Any:
    from tensorboard.plugins.hparams import api_pb2

    shown = {SCORE: f"score ({objective})", **{name: name for name in _TEST_METRICS}}
    return api_pb2.Experiment(
        hparam_infos=[_hparam(axis) for axis in axes.values()],
        metric_infos=[
            api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=text)
            for tag, text in shown.items()
        ],
        time_created_secs=time.time(),
    )


def _hparam(axis: Parameter) -> Any:
    from google.protobuf.struct_pb2 import ListValue
    from tensorboard.plugins.hparams import api_pb2

    info = api_pb2.HParamInfo(name=axis.name, type=_type(axis))
    if axis.kind in ("choice", "ordinal"):
        choices = ListValue()
        choices.extend([_plain(choice, axis) for choice in axis.choices])
        info.domain_discrete.CopyFrom(choices)
    elif axis.low is not None and axis.high is not None:
        info.domain_interval.min_value, info.domain_interval.max_value = axis.low, axis.high
    return info


def _type(axis: Parameter) -> Any:
    from tensorboard.plugins.hparams import api_pb2

    if axis.kind == "boolean":
        return api_pb2.DATA_TYPE_BOOL
    return api_pb2.DATA_TYPE_STRING if axis.kind == "choice" else api_pb2.DATA_TYPE_FLOAT64


def _plain(value: Any, axis: Parameter) -> Any:
    """A value of the type that the page was told."""
    return str(value) if axis.kind == "choice" else value
