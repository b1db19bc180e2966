"""Ctrl-C, SIGTERM and kill -9 in the middle of a search on workers, in processes of their own."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import write_photos, write_space

pytestmark = pytest.mark.slow

RUN = ["run", "./photos", "--space", "tiny.yaml", "--workers", "2"]


@pytest.fixture
def searching(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose search is under way; it would go on for minutes."""
    write_photos(tmp_path / "photos", ["a", "b"], n=20)
    write_space(tmp_path, "max_epochs: 2, factor: 2", "max_epochs: 4096, factor: 2")
    command = [sys.executable, "-m", "tuner", *RUN]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("  trial ") and " (2 of " in line:
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
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_first_signal_ends_the_run_in_order(
    searching: subprocess.Popen[str], tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    searching.send_signal(number)
    out, err = searching.communicate(timeout=60)
    (folder,) = (tmp_path / "reports" / "photos").iterdir()
    report = f"{folder.relative_to(tmp_path)}/report.html"
    assert (searching.returncode, out) == (code, f"{report}\n"), err
    assert err.splitlines()[-3:] == [
        f"The run was {word}. You can resume it.",
        f"Report   {report}",
        f"Resume   python -m tuner {' '.join(RUN)} --resume",
    ]
    assert f"{word.capitalize()}." in (tmp_path / report).read_text(encoding="utf-8")
    assert (folder / "state").is_dir()
    assert "Traceback" not in err


# The command itself builds a model before the search, to try the builder out; only workers wait.
WAITING = """
import multiprocessing
import pathlib
import threading

import keras

def build(values, image_spec):
    [values[name] for name in ("conv_blocks", "filters", "batch_norm", "pooling", "dense_units")]
    if multiprocessing.parent_process():
        pathlib.Path("begun").touch()
        threading.Event().wait()
    outputs = keras.layers.Dense(image_spec.n_classes, activation="softmax")
    return keras.Sequential([keras.Input(image_spec.shape), keras.layers.Flatten(), outputs])
"""


def test_second_signal_ends_at_once_and_tells_the_command_that_goes_on(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["a", "b"], n=20)
    write_space(tmp_path, "model: cnn", "model: waiting:build")
    (tmp_path / "waiting.py").write_text(WAITING)
    command = [sys.executable, "-m", "tuner", *RUN]
    run = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    try:
        deadline_s = time.monotonic() + 60
        while not (tmp_path / "begun").exists() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        for line in run.stderr:
            if line.startswith("Stopping: "):
                break
        run.send_signal(signal.SIGINT)
        # The trainings wait for ever, so in order the run would have ended only when their half a
        # minute was over.
        _, err = run.communicate(timeout=25)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == 130
    assert "You can resume it" not in err
    assert err.splitlines()[-1] == f"Resume   python -m tuner {' '.join(RUN)} --resume"
    assert "Traceback" not in err


def test_killed_run_leaves_whole_files_and_no_worker(
    searching: subprocess.Popen[str], tmp_path: Path
) -> None:
    searching.kill()
    # Workers hold the other end of these pipes: this would wait for any that outlived its driver.
    searching.communicate(timeout=60)
    trials = rows(tmp_path, "trials.csv")
    assert len(trials) >= 2
    assert all(row["status"] == "completed" and float(row["score"]) >= 0 for row in trials)
    assert {row["trial_id"] for row in rows(tmp_path, "curves.csv")} >= {
        row["trial_id"] for row in trials[:2]
    }
    (events,) = tmp_path.rglob("events.jsonl")
    names = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert names.count("TrialEnded") >= 2
