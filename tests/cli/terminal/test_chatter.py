"""What builders and frameworks print stays out of results, messages and the live view."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Every way to stdout that a builder has: print, the descriptor, a child, Python's own first stream.
PRINTS = """
def prints(when):
    print("print", when)
    os.write(1, f"write {when}\\n".encode())
    os.system(f"echo child {when}")
    sys.__stdout__.write(f"stream {when}\\n")
    sys.__stdout__.flush()
"""
SCRIPT = (
    """
import atexit, os, sys
from tuner.cli.terminal.output import print_json
from tuner.cli.run_views.choice import view
from tuner.records.events import RunStarted
"""
    + PRINTS
    + """
with view(json_lines=True, quiet=False, live=False) as tell:
    prints("early")
    if sys.argv[1:]:
        counts = ("n_train", "n_validation", "n_folds", "n_test", "n_trials", "n_epochs")
        rest = {"objective": "val_loss", "direction": "min", **dict.fromkeys(counts, 1)}
        tell(RunStarted(dataset="x", folder=sys.argv[1], **rest))
    prints("late")
    print("to stderr", file=sys.stderr)
print_json({"event": "RunEnded"})
atexit.register(print, "at exit")
"""
)
WAYS = ("print", "write", "child", "stream")


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )


def test_what_is_printed_in_a_run_goes_to_its_log(tmp_path: Path) -> None:
    done = run_script(str(tmp_path))
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events == ["RunStarted", "RunEnded"]
    assert done.stderr == ""
    printed = (tmp_path / "run.log").read_text().splitlines()
    expected = [f"{way} {when}" for when in ("early", "late") for way in WAYS]
    assert printed == [*expected, "to stderr", "at exit"]


def test_without_a_run_it_goes_to_stderr() -> None:
    done = run_script()
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["RunEnded"]
    assert done.stderr.splitlines() == [
        f"{way} {when}" for when in ("early", "late") for way in WAYS
    ]


@pytest.mark.parametrize("module", ["run_commands", "model_commands"])
def test_commands_that_run_builders_print_results_where_no_builder_does(module: str) -> None:
    assert "click.echo" not in (ROOT / "tuner" / "cli" / f"{module}.py").read_text(encoding="utf-8")
