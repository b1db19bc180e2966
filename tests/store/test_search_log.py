"""The log of trials: what was written is there after any crash, and is never changed."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.store.trials import make_trial
from tuner.errors import ConfigurationError
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.space.constraints import Footprint
from tuner.store.history import LogEntry, ended_trials
from tuner.store.search_log import SearchLog


def begun(trial: Trial) -> Trial:
    return replace(trial, score=None, error=None, epochs=(), duration_s=0.0, n_parameters=None)


def write_trial(path: Path, trial: Trial) -> None:
    """Write that a trial started and ended."""
    SearchLog(path).started(begun(trial), {})
    SearchLog(path).ended(trial)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is."""
    return tmp_path / "trials.jsonl"


def test_log_that_was_never_written_is_empty(path: Path) -> None:
    assert SearchLog(path).read() == []


def test_entries_come_back_in_order_and_to_the_last_digit(path: Path) -> None:
    trial, state = (
        make_trial(),
        {"generator": np.random.default_rng(0).bit_generator.state, "rejected": {"k": "why"}},
    )
    log = SearchLog(path)
    log.started(begun(trial), state)
    log.ended(trial)
    log.close(state)
    assert SearchLog(path).read() == [
        LogEntry(kind="started", trial=begun(trial), state=state),
        LogEntry(kind="ended", trial=trial),
        LogEntry(kind="closed", state=state),
    ]


@pytest.mark.parametrize(
    "value", [1, 1.0, True, False, 0.1 + 0.2, 1e-300, "1", "no", "Größe \u202e", [1, 2.5], None]
)
def test_values_keep_their_type(path: Path, value: Any) -> None:
    SearchLog(path).started(begun(make_trial(values={"v": value})), {})
    (entry,) = SearchLog(path).read()
    assert entry.trial is not None
    assert entry.trial.values == {"v": value}
    assert type(entry.trial.values["v"]) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_metric_that_is_no_number_survives(path: Path, value: float) -> None:
    epoch = EpochMetrics(epoch=1, metrics={"own": value}, duration_s=0.5)
    write_trial(path, make_trial(epochs=(epoch,)))
    entry = SearchLog(path).read()[-1]
    assert entry.trial is not None
    assert entry.trial.epochs[0].metrics["own"] == pytest.approx(value, nan_ok=True)


def test_line_cut_off_anywhere_is_removed_and_the_log_goes_on(path: Path) -> None:
    log = SearchLog(path)
    log.started(begun(make_trial(0)), {})
    whole = path.read_bytes()
    log.ended(make_trial(0))
    both = path.read_bytes()
    for cut in range(len(whole), len(both)):
        path.write_bytes(both[:cut])
        assert [entry.kind for entry in SearchLog(path).read()] == ["started"]
        SearchLog(path).ended(make_trial(0))
        assert path.read_bytes() == both


def lines_of_three(path: Path) -> list[bytes]:
    """Three trials that have started and ended, one after the other."""
    for number in range(3):
        write_trial(path, make_trial(number))
    return path.read_bytes().splitlines(keepends=True)


def refused(path: Path, content: bytes) -> str:
    """What is said of a log with this content, without the remedy."""
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        SearchLog(path).read()
    assert caught.value.hint.startswith(
        "restore the file, or start again with --fresh; trials.csv still holds"
    )
    assert path.read_bytes() == content
    return caught.value.message.removeprefix(f"{path}").removesuffix(
        ", so the search cannot be resumed"
    )


DAMAGES = {
    "cut": lambda line: line[:20] + b"\n",
    "empty object": lambda line: b"{}\n",
    "list": lambda line: b"[]\n",
    "number": lambda line: b"3\n",
    "null": lambda line: b"null\n",
    "deep": lambda line: b"[" * 100_000 + b"\n",
    "binary": lambda line: b"\x00\xff\xfe\n",
    "digit": lambda line: line.replace(b'"duration_s": 1.5', b'"duration_s": 2.5'),
    "key twice": lambda line: line.replace(b'"kind"', b'"kind": "ended", "kind"', 1),
    "wrong type": lambda line: line.replace(b'"epochs": [', b'"epochs": ["'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_before_the_end_is_an_error_that_names_the_line(path: Path, damage: str) -> None:
    lines = lines_of_three(path)
    lines[1] = DAMAGES[damage](lines[1])
    assert refused(path, b"".join(lines)) == ":2: the line is damaged"


@pytest.mark.parametrize(
    ("order", "what"),
    [
        ([0, 2, 3, 4, 5], ""),
        ([1, 2, 3, 4, 5], ":1: trial 0000 ends, but its start is missing"),
        ([0, 1, 3, 4, 5], ":3: trial 0001 ends, but its start is missing"),
        (
            [0, 1, 4, 5],
            ":3: trial 0002 starts, but trial 0001 should be the next: lines are missing",
        ),
    ],
)
def test_missing_line_is_told_where_it_is_missed(path: Path, order: list[int], what: str) -> None:
    lines = lines_of_three(path)
    content = b"".join(lines[number] for number in order)
    if what:
        assert refused(path, content) == what
    else:
        # Its trial is trained again.
        path.write_bytes(content)
        assert len(SearchLog(path).read()) == 5


def test_promotion_of_a_trial_whose_end_is_missing_is_told(path: Path) -> None:
    lines = lines_of_three(path)
    SearchLog(path).started(
        begun(make_trial(3, parent_id="0001", rung=1, first_epoch=2, last_epoch=2)), {}
    )
    promoted = path.read_bytes().splitlines(keepends=True)[-1]
    content = b"".join([*lines[:3], *lines[4:], promoted])
    assert refused(path, content) == ":6: trial 0003 continues trial 0001, whose end is missing"


def test_doubled_lines_are_passed_over_and_counted(path: Path) -> None:
    lines = lines_of_three(path)
    path.write_bytes(b"".join([lines[0], lines[0], *lines[1:], lines[3]]))
    log = SearchLog(path)
    assert len(log.read()) == 6
    assert log.n_doubled == 2


def test_second_end_that_differs_from_the_first_is_an_error(path: Path) -> None:
    lines_of_three(path)
    SearchLog(path).ended(make_trial(1, score=0.9))
    found = refused(path, path.read_bytes())
    assert found == ":7: trial 0001 ends a second time, with another result"


@pytest.mark.parametrize(
    "change", [{"score": None}, {"error": "why"}, {"score": math.nan}, {"rung": 3}]
)
def test_end_that_cannot_be_is_an_error(path: Path, change: dict[str, Any]) -> None:
    SearchLog(path).started(begun(make_trial()), {})
    SearchLog(path).ended(make_trial(**change))
    assert refused(path, path.read_bytes()).startswith(":2: trial 0000 ")


def test_line_ends_of_windows_and_a_byte_order_mark_do_no_harm(path: Path) -> None:
    lines_of_three(path)
    before = SearchLog(path).read()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert SearchLog(path).read() == before


def test_line_of_an_older_version_has_no_sum_and_is_read(path: Path) -> None:
    write_trial(path, make_trial())
    before = SearchLog(path).read()
    path.write_bytes(re.sub(rb', "crc32": "[0-9a-f]{8}"', b"", path.read_bytes()))
    assert SearchLog(path).read() == before


def test_log_that_is_a_folder_is_an_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(
        ConfigurationError,
        match="the log cannot be read: it is a folder, not a file, so the search",
    ):
        SearchLog(path).read()


def test_what_a_model_takes_is_kept_beside_the_end_of_its_trial(path: Path) -> None:
    trial, log = make_trial(), SearchLog(path)
    write_trial(path, trial)
    assert ended_trials(log.read()) == [trial]
    log.close({})
    measured = replace(trial, takes=Footprint(latency_ms=1.5))
    log.measured([measured])
    assert ended_trials(log.read()) == [measured]
    # That it is not known is kept too.
    log.measured([trial])
    assert [entry.kind for entry in log.read()][-2:] == ["measured", "measured"]
    assert ended_trials(log.read()) == [trial]


def test_a_measurement_of_another_trial_is_damage(path: Path) -> None:
    trial = make_trial()
    write_trial(path, trial)
    SearchLog(path).measured([replace(trial, score=0.123, takes=Footprint(latency_ms=1.5))])
    with pytest.raises(ConfigurationError, match="has an end and a measurement that do not match"):
        SearchLog(path).read()
