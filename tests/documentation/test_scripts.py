"""Scripts of the docs, in bash, with a program that stands for `python -m tuner`.

The commands in them are executed by `test_trained_commands.py` and `tests/commands/test_serve.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.command_lines import is_script
from tests.documentation.fences import blocks
from tests.documentation.texts import read

# Writes down how it was called, and fails or lasts if the environment says so. A test can wait for
# what it tells through a pipe.
_STANDS_FOR_PYTHON = """\
#!{python} -S
import os, signal, sys

def tell(what):
    with open("{place}/told", "w") as pipe:
        print(what, file=pipe)

def end(number, frame):
    tell("TERM")
    sys.exit(128 + number)

with open("{place}/calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
command = sys.argv[3]
if command == os.environ.get("LASTS"):
    signal.signal(signal.SIGHUP, lambda number, frame: tell("HUP"))
    signal.signal(signal.SIGTERM, end)
    tell("ready")
    while True:
        signal.pause()
sys.exit(3 if command == os.environ.get("FAILS") else 0)
"""


def scripts(page: str) -> list[str]:
    return [block.text for block in blocks(read(page)) if is_script(block)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory with an environment and what scripts write to."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(_STANDS_FOR_PYTHON.format(python=sys.executable, place=tmp_path))
    python.chmod(0o755)
    (python.parent / "activate").write_text(f'PATH="{python.parent}:$PATH"\n')
    (tmp_path / "exported").mkdir()
    (tmp_path / "calls").touch()
    os.mkfifo(tmp_path / "told")
    return tmp_path


def started(script: str, place: Path, **variables: str) -> subprocess.Popen[bytes]:
    """A script that has begun, with the working directory in place of that of the docs."""
    text = script.replace("/srv/photos", str(place))
    environment = {**os.environ, "HOME": str(place / "home"), **variables}
    return subprocess.Popen(["bash", "-c", text], cwd=place, env=environment)


def told(place: Path) -> str:
    """Wait for what the program tells next."""
    return (place / "told").read_text().strip()


def calls(place: Path) -> list[str]:
    """The arguments of each call, after `python -m tuner`."""
    lines = (place / "calls").read_text().splitlines()
    assert all(line.startswith("-m tuner ") for line in lines)
    return [line.removeprefix("-m tuner ") for line in lines]


@pytest.fixture
def service(place: Path) -> Iterator[int]:
    """The number of the service's process, as docs/production.md starts it."""
    _, start = scripts("docs/production.md")
    assert started(start, place, LASTS="serve").wait(60) == 0
    assert told(place) == "ready"
    number = int((place / "serve.pid").read_text())
    try:
        yield number
    finally:
        os.kill(number, signal.SIGKILL)


@pytest.mark.usefixtures("service")
def test_retraining_replaces_the_model_and_signals_the_service(place: Path) -> None:
    retrain, _ = scripts("docs/production.md")
    script = started(retrain, place)
    assert told(place) == "HUP"
    assert script.wait(60) == 0
    day = (place / "exported" / "current").readlink()
    assert calls(place) == [
        "serve exported/current --workers 2",
        "datasets check ./photos",
        f"train --from reports/photos/latest --data ./photos --verify --out trained/{day}",
        f"export trained/{day} --format onnx --out exported/{day}",
    ]


@pytest.mark.parametrize("command", ["datasets", "train", "export"])
def test_retraining_that_fails_keeps_the_model(command: str, place: Path) -> None:
    retrain, _ = scripts("docs/production.md")
    assert started(retrain, place, FAILS=command).wait(60) == 3
    assert calls(place)[-1].startswith(command)
    assert not (place / "exported" / "current").exists()


def test_retraining_without_a_service_succeeds(place: Path) -> None:
    retrain, _ = scripts("docs/production.md")
    assert started(retrain, place).wait(60) == 0
    assert (place / "exported" / "current").is_symlink()


def test_a_job_hands_its_signal_on_and_waits(place: Path) -> None:
    job, _ = scripts("docs/slurm.md")
    script = started(job, place, LASTS="run")
    assert told(place) == "ready"
    script.terminate()
    assert told(place) == "TERM"
    assert script.wait(60) == 128 + signal.SIGTERM
    assert calls(place) == [f"run ./my_photos --time-budget 3h --out {place}/home/reports"]


def test_a_job_that_ends_by_itself_hands_on_its_exit_code(place: Path) -> None:
    job, _ = scripts("docs/slurm.md")
    assert started(job, place, FAILS="run").wait(60) == 3


def test_an_array_of_jobs_has_a_seed_for_each(place: Path) -> None:
    _, array = scripts("docs/slurm.md")
    for number in ("0", "3"):
        assert started(array, place, SLURM_ARRAY_TASK_ID=number).wait(60) == 0
    out = f"--out {place}/home/reports"
    assert calls(place) == [f"run ./my_photos --seed {number} {out}" for number in (0, 3)]
