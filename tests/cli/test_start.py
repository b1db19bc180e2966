"""Help, version, usage: what is answered before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

import tuner
from tests.cli.calling import call
from tuner.cli import commands

HEAVY = (
    "tensorflow",
    "keras",
    "keras_tuner",
    "jax",
    "pandas",
    "pydantic",
    "numpy",
    "sklearn",
    "matplotlib",
    "rich",
)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['tuner', '--help']; from tuner.cli.main import _exit_code; code ="
        f" _exit_code(); print(code, [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 []"


def test_help_shows_first_steps_line_by_line(tmp_path: Path) -> None:
    shown = call("--help", cwd=tmp_path)
    assert shown.code == 0
    assert "\n    python -m tuner run ./my_photos\n        Your own images: " in shown.out
    assert "\\b" not in shown.out


@pytest.mark.parametrize("command", sorted(commands.cli.commands))
def test_every_command_and_option_is_explained(tmp_path: Path, command: str) -> None:
    shown = call(command, "--help", cwd=tmp_path)
    assert shown.code == 0
    assert commands.cli.commands[command].help
    options = [o for o in commands.cli.commands[command].params if isinstance(o, click.Option)]
    assert all(o.help for o in options if not o.hidden)


EVERY_COMMAND = [[], *([name] for name in sorted(commands.cli.commands))]
EVERY_COMMAND += [["datasets", name] for name in ("check", "clean", "fetch")]


@pytest.mark.parametrize("width", ["60", "80", "100"])
@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_no_help_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    shown = call(*command, "--help", cwd=tmp_path)
    usage, _, rest = shown.out.partition("\n\n")
    assert usage.startswith("Usage: ")
    assert "..." not in rest
    assert max(map(len, rest.splitlines())) <= int(width)


def test_a_width_of_nothing_is_no_width_for_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    assert "its path." in call("--help", cwd=tmp_path).out


def test_plan_offers_no_option_that_changes_no_plan(tmp_path: Path) -> None:
    assert "--retries" in call("run", "--help", cwd=tmp_path).out
    assert "--retries" not in call("plan", "--help", cwd=tmp_path).out


def test_version(tmp_path: Path) -> None:
    assert call("--version", cwd=tmp_path).out == f"tuner {tuner.__version__}\n"


def test_without_arguments_there_is_help(tmp_path: Path) -> None:
    shown = call(cwd=tmp_path)
    assert "Find good hyperparameters" in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Error: Missing argument 'DATASET'."),
        (["rnu"], 'Error: there is no command "rnu". Did you mean "run"?'),
        (["tune"], 'Error: there is no command "tune". Use compare, datasets, export, '),
        (["datasets", "chekc"], 'Error: there is no command "chekc". Did you mean "check"?'),
        (
            ["run", "digits", "--max-trails", "3"],
            "Error: No such option '--max-trails'. Did you mean '--max-trials'?",
        ),
        (["predict", "run", "x.png", "--workers", "2"], "Error: No such option '--workers'.\n"),
        (
            ["run", "digits", "--preset", "fast"],
            "'fast' is not one of 'quick', 'standard', 'thorough'.",
        ),
        (["run", "digits", "--max-epochs", "0"], "0 is not in the range x>=1."),
        (["run", "digits", "--factor", "1"], "1 is not in the range x>=2."),
        (["run", "digits", "--seed", "-1"], "-1 is not in the range 0<=x<=4294967295."),
        (
            ["run", "digits", "--seed", "4294967296"],
            "4294967296 is not in the range 0<=x<=4294967295.",
        ),
        (["run", "digits", "--limit", "many"], "'many' is not a valid integer"),
        (
            ["run", "photos", "--image-size", "3"],
            "'3' is not an image size; give 4 to 2048 pixels, such as 224, or height and width,"
            " such as 96x128.",
        ),
        (["plan", "photos", "--image-size", "96x"], "'96x' is not an image size;"),
        (["datasets", "check", "photos", "--image-size", "4096"], "'4096' is not an image size;"),
        (["train"], "Error: Missing option '--from'."),
        (["predict", "run"], "Error: Missing argument 'IMAGES...'."),
        (["report"], "Error: Missing argument 'RUN'."),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_exits_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    shown = call(*arguments, cwd=tmp_path)
    assert (shown.code, shown.out) == (2, "")
    assert message in shown.err
    assert shown.err.startswith("Usage: python -m tuner")


def test_a_mistake_of_ours_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("odd \x1b[31m")

    monkeypatch.setattr("tuner.commands.report.report", broken)
    shown = call("report", "somewhere", cwd=tmp_path)
    assert shown.code == 1
    assert shown.err.startswith("Traceback")
    assert shown.err.endswith("This is a bug in tuner, not a mistake in your command.\n")
    assert "\x1b" not in shown.err


def test_a_reader_that_goes_away_ends_the_command_in_silence(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner", "validate", "--schema", "space"],
        cwd=Path(tuner.__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate()
    assert (process.returncode, err) == (1, "")
