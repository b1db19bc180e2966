"""Ctrl-C, SIGTERM and kill -9 in the middle of a search, in processes of their own."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import write_photos, write_space


@pytest.fixture
def searching(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose search is under way; it would go on for minutes."""
    write_photos(tmp_path / "photos", ["a", "b"], n=20)
    write_space(tmp_path, "max_epochs: 2, factor: 2", "max_epochs: 4096, factor: 2")
    command = [sys.executable, "-m", "tuner", "run", "./photos", "--space", "tiny.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("  trial 2 of "):
                break
        yield process
    finally:
        process.kill()
        process.communicate()


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    (path,) = folder.rglob(name)
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "Interrupted."), (signal.SIGTERM, 143, "Terminated.")]
)
def test_stopped_run_says_what_it_kept(
    searching: subprocess.Popen[str], tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    searching.send_signal(number)
    out, err = searching.communicate(timeout=60)
    (trials,) = tmp_path.rglob("trials.csv")
    kept, last = err.splitlines()[-2:]
    n = len(rows(tmp_path, "trials.csv"))
    assert (searching.returncode, out, last) == (code, "", word)
    assert kept == f"Kept: {n} ended trials, in {trials.parent.relative_to(tmp_path)}/trials.csv and curves.csv."
    assert "Traceback" not in err


def test_second_ctrl_c_ends_at_once(searching: subprocess.Popen[str]) -> None:
    searching.send_signal(signal.SIGINT)
    searching.send_signal(signal.SIGINT)
    out, err = searching.communicate(timeout=60)
    assert (searching.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_killed_run_leaves_whole_files(searching: subprocess.Popen[str], tmp_path: Path) -> None:
    searching.kill()
    searching.communicate(timeout=60)
    trials = rows(tmp_path, "trials.csv")
    assert len(trials) >= 2
    assert all(row["status"] == "completed" and float(row["score"]) >= 0 for row in trials)
    assert {row["trial_id"] for row in rows(tmp_path, "curves.csv")} >= {row["trial_id"] for row in trials[:2]}
    (events,) = tmp_path.rglob("events.jsonl")
    names = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert names.count("TrialEnded") >= 2
    assert not list(tmp_path.rglob("*.tmp"))
