"""events.jsonl may hold anything; what it tells is taken from the lines that are events."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.store.trials import make_trial
from tuner.records.training import EpochMetrics
from tuner.store.event_log import EventLog

GOOD = ('{"event": "RunStarted", "time_s": 100.0}', '{"event": "TrialEnded", "time_s": 103.5}')
ODD = [
    "3", "null", "[]", "{}", '"text"', "\x00\x00", "{", '{"event": 3, "time_s": 1}',
    '{"event": "Notice"}', '{"event": "Notice", "time_s": "1"}',
    '{"event": "Notice", "time_s": true}', '{"event": "Notice", "time_s": NaN}',
    '{"event": "Notice", "time_s": 1e300}', '{"event": "Notice", "time_s": Infinity}',
    "[" * 100_000, '{"event": "Notice", "time_s": ' + "9" * 400 + "}",
    '{"event": "a", "event": "b", "time_s": 1}', "x" * 10**6,
]  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events.jsonl")


def write(log: EventLog, *lines: str) -> None:
    log._path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize("line", ODD)
def test_line_that_is_no_event_is_passed_over_and_counted(log: EventLog, line: str) -> None:
    write(log, line, GOOD[0], line, line, GOOD[1], "")
    assert (log.spent_s(), log.n_odd()) == (3.5, 2)


def test_line_that_a_crash_has_cut_off_is_not_odd(log: EventLog) -> None:
    write(log, *GOOD, '{"event": "TrialSta')
    assert log.n_odd() == 0
    write(log, *GOOD, '{"event": "TrialSta', *GOOD)
    assert (log.n_odd(), log.spent_s()) == (0, 7.0)


def test_clock_that_went_back_takes_no_time_away(log: EventLog) -> None:
    write(log, GOOD[1], GOOD[0], '{"event": "Notice", "time_s": 50.0}')
    assert log.spent_s() == 0.0


@pytest.mark.parametrize("kind", ["none", "folder", "empty", "binary"])
def test_file_without_any_event_says_nothing(log: EventLog, kind: str) -> None:
    if kind == "folder":
        log._path.mkdir()
    elif kind != "none":
        log._path.write_bytes(b"" if kind == "empty" else bytes(range(256)) * 50)
    log.mend()
    assert (log.spent_s(), log.ended_trials()) == (0.0, [])


def test_ended_trials_come_back_with_their_curves(log: EventLog) -> None:
    epoch = EpochMetrics(epoch=1, metrics={"loss": math.nan, "val_accuracy": 0.5}, duration_s=1.0)
    trials = [
        make_trial(0),
        make_trial(1, epochs=(epoch,)),
        make_trial(2, score=None, error="why", epochs=()),
    ]
    for trial in trials:
        log.append({"event": "TrialEnded", "time_s": 1.0, "trial": asdict(trial)})
        log.append({"event": "TrialEnded", "time_s": 1.0, "trial": {"trial_id": 3, "epochs": 4}})
        log.append({"event": "TrialEnded", "time_s": 1.0})
    found = log.ended_trials()
    assert [trial.trial_id for trial in found] == ["0000", "0001", "0002"]
    assert (found[0], found[2]) == (trials[0], trials[2])
    assert math.isnan(found[1].epochs[0].metrics["loss"])


def test_texts_are_ascii_so_that_every_line_can_be_read(log: EventLog) -> None:
    log.append({"event": "Notice", "time_s": 1.0, "text": "\udce9 \u2028 \x1b é"})
    assert json.loads(log._path.read_bytes())["text"] == "\udce9 \u2028 \x1b é"
    assert len(log._path.read_text(encoding="ascii").splitlines()) == 1
    assert log.n_odd() == 0
