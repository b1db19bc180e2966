"""What holds where the command line says nothing is stated once, in the options' records."""

from __future__ import annotations

from typing import Any, get_args

import click
import pytest

from tuner.cli.model_commands import train
from tuner.cli.run_commands import plan, run, run_options
from tuner.pipeline.presets import PRESETS
from tuner.pipeline.run_options import RunOptions
from tuner.production.train_options import RecipeTraining, TrainOptions
from tuner.records.results import PresetName

OF_THE_CLI = {"json_lines", "quiet", "no_progress", "nested", "require_improvement"}


def given(command: click.Command, *arguments: str) -> dict[str, Any]:
    """What the command line gives a command."""
    with command.make_context("tuner", list(arguments)) as context:
        return {name: value for name, value in context.params.items() if name not in OF_THE_CLI}


@pytest.mark.parametrize("command", [run, plan], ids=["run", "plan"])
def test_run_and_plan_take_the_usual_options(command: click.Command) -> None:
    assert run_options(given(command, "digits"), command="") == RunOptions(dataset="digits")


@pytest.mark.parametrize(("text", "size"), [("224", (224, 224)), ("96x128", (96, 128))])
def test_size_of_images_is_a_side_or_height_and_width(text: str, size: tuple[int, int]) -> None:
    options = run_options(given(run, "photos", "--image-size", text), command="")
    assert options.image_size == size


def test_train_takes_the_usual_options() -> None:
    found, usual = given(train, "--from", "x"), RecipeTraining()
    assert (found["data_dir"], found["out"]) == (
        TrainOptions(source=found["source"]).data_dir,
        None,
    )
    assert [found[name] for name in ("full_data", "seed", "threads")] == [
        usual.full_data,
        usual.seed,
        usual.threads,
    ]


def test_every_preset_that_can_be_named_is_there() -> None:
    assert tuple(PRESETS) == get_args(PresetName)
