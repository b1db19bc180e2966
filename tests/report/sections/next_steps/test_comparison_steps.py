"""Next steps that follow from the comparison: its images, seeds, failures and verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report.differences import difference
from tests.report.fixtures import recommending
from tests.report.sections.next_steps.unremarkable import (
    important,
    options,
    parsed,
    quiet,
    section,
    steps,
    the_step,
)
from tuner.records.comparison import Verdict
from tuner.records.results import Results
from tuner.records.scores import Temperature
from tuner.space.parsing.parse import load_space


def test_a_pretrained_network_that_is_ahead_is_searched_itself() -> None:
    run = quiet()
    backbone = replace(run.models[2], model="efficientnet_b2", values={"weights": "imagenet"})
    run = replace(
        run,
        run=replace(
            run.run,
            command="python -m tuner run faces --set space.dropout=0.1 --space mine.yaml --seed 1",
        ),
        models=(*run.models[:2], backbone),
        differences=(difference("worse", -0.05, opponent="efficientnet_b2"),),
    )
    step = the_step(run)
    assert step.code == "python -m tuner run faces --seed 1 --model efficientnet_b2"
    assert step.items == ((backbone.title, "by +5.0 points, from +1.0 to +9.0"),)
    scratch = replace(backbone, values={"weights": "none"})
    assert steps(replace(run, models=(*run.models[:2], scratch))) == ()


def unsure(image_sd: float, seed_sd: float, *, n_test: int = 43, **data: Any) -> Results:
    """A run whose main difference is inconclusive."""
    run = quiet(n_test=n_test)
    found = difference(
        "inconclusive", 0.0, margin=0.02, n=n_test, image_sd=image_sd, seed_sd=seed_sd
    )
    command = f"{run.run.command} --require-improvement"
    return replace(
        run,
        run=replace(run.run, command=command),
        data=replace(run.data, **data),
        differences=(found,),
    )


def test_few_images_of_ones_own_are_tested_in_turn() -> None:
    step = the_step(unsure(0.02, 0.01))
    given = options(step.code)
    assert (given["nested"], given["require_improvement"]) == (True, False)
    assert "the difference runs from −2.0 to +2.0 points" in step.fact
    assert "gives no verdict" in step.fact


@pytest.mark.parametrize(
    "run", [unsure(0.02, 0.01, n_test=401), unsure(0.02, 0.01, is_official_split=True)]
)
def test_images_that_no_option_brings_are_to_be_collected(run: Results) -> None:
    step = the_step(run)
    assert (step.action, step.code) == ("Collect more test images", "")
    assert "<pre" not in section(run)


def test_noise_of_the_seeds_asks_for_twice_the_seeds(space: Path) -> None:
    for n_test in (43, 600):
        step = the_step(unsure(0.01, 0.02, n_test=n_test))
        assert parsed(step, space).retrain.seeds == 6


@pytest.mark.parametrize(
    ("error", "option", "value"),
    [("out of memory", "workers", 1), ("ValueError: something else", "seed", 2)],
)
def test_trainings_that_failed_are_mended_before_more_are_asked_for(
    error: str, option: str, value: int
) -> None:
    run = unsure(0.02, 0.01)
    winner = run.models[0]
    kept = tuple(one for one in winner.runs if one.is_kept)
    winner = replace(winner, runs=kept, n_failed=2, error=error)
    step = the_step(replace(run, models=(winner, *run.models[1:])))
    assert step.fact == "2 retrainings failed:"
    assert step.items == ((winner.title, "(1 of 3 trainings succeeded)"), (error, "(the reason)"))
    assert options(step.code)[option] == value


def test_a_command_that_lost_a_folder_says_what_to_put_there() -> None:
    run = quiet(n_seeds=1)
    told = "Replace “…/” with your own folder."
    assert told not in section(run)
    command = "python -m tuner run faces --data-dir '/srv/our photos/faces'"
    source = section(replace(run, run=replace(run.run, command=command)))
    assert source.count(told) == source.count("<pre") == 1
    assert "our photos" not in source


def test_a_temperature_that_helps_is_used() -> None:
    run = quiet()
    bins = run.models[0].runs[0].test.calibration
    temperature = Temperature(
        value=1.43,
        n=500,
        validation_log_loss=(0.9, 0.8),
        test_calibration_error=(0.11, 0.04),
        test_log_loss=(0.95, 0.9),
        calibration=bins,
    )
    step = the_step(replace(run, temperature=temperature))
    assert "11.0 %" in step.fact
    assert "4.0 %" in step.fact
    assert options(step.code)["calibrated"]
    # The temperature on the page is the winner's.
    for use, model in (("tuned", None), ("baseline", "tuned")):
        step = the_step(recommending(replace(run, temperature=temperature), use))
        assert options(step.code)["model"] == model
    for useless in ({"test_calibration_error": (0.05, 0.04)}, {"test_log_loss": (0.9, 0.95)}):
        assert steps(replace(run, temperature=replace(temperature, **useless))) == (), useless


@pytest.mark.parametrize("verdict", ["worse", "no clear difference"])
def test_a_winner_that_is_not_better_is_searched_longer(verdict: Verdict) -> None:
    run = replace(quiet(), differences=(difference(verdict, -0.01),))
    step = the_step(run)
    assert options(step.code)["preset"] == "thorough"
    assert "−1.0 points" in step.fact


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("conv_blocks", 4, [2, 5]),
        ("conv_blocks", 2, [1, 4]),
        ("filters_1", 64, [16, 32, 64, 128]),
        ("filters_1", 16, [8, 16, 32, 64]),
        ("kernel_size_0", 7, [3, 5, 7, 9]),
        ("kernel_size_2", 3, [1, 3, 5, 7]),
        ("conv_dropout_0", 0.4, [0.1, 0.5]),
        ("dense_units", 128, [32, 64, 128, 256]),
        ("label_smoothing", 0.2, [0.05, 0.1, 0.2, 0.4]),
        ("dropout", 0.5, [0.2, 0.6]),
        ("dropout", 0.2, [0.1, 0.5]),
        ("momentum", 0.9, [0.5, 0.9999]),
        ("learning_rate", 1e-2, [1e-4, 0.04]),
        ("learning_rate", 1e-4, [2.5e-05, 1e-2]),
        ("weight_decay", 1e-5, [1e-6, 1e-5, 1e-4, 1e-3]),
        ("batch_size", 128, [32, 512]),
    ],
)
def test_a_value_at_the_edge_widens_its_range_in_the_file_that_was_searched(
    space: Path, name: str, value: float, changed: list[float]
) -> None:
    before = load_space(space).space.parameters
    parameter = next(p for p in before if p.name == name)
    optimizer = "sgd" if name == "momentum" else "adam"
    best = {"conv_blocks": 4, "optimizer": optimizer, name: value}
    search = replace(quiet().search, parameters=(parameter,), best_values=best)
    step = the_step(replace(quiet(), search=search, importance=important(name)))
    assert step.items[0][0] == name
    assert "23 trials" in step.fact
    after = parsed(step, space).space.parameters
    (wider,) = (p for p in after if p.name == name)
    assert (list(wider.choices) or [wider.low, wider.high]) == pytest.approx(changed)
    assert (wider.conditions, wider.log, wider.step) == (
        parameter.conditions,
        parameter.log,
        parameter.step,
    )
    # Only blocks come and go with their number.
    unchanged = {replace(p, conditions=()) for p in before if p.name != name}
    assert unchanged <= {replace(p, conditions=()) for p in after}
