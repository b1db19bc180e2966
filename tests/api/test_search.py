"""`tuner.search` and `run --model` search what Keras Tuner's builders declare, and nothing else."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

import tuner
from tests.api import shapes
from tests.cli.calling import call
from tuner.api.given_data.place import place_of
from tuner.api.keywords import option_words
from tuner.api.search import _space
from tuner.errors import ConfigurationError
from tuner.models.source import find_module

N_TRIALS = 5
Y = np.arange(40) % 2
X = np.random.default_rng(0).integers(0, 120, size=(40, 8, 8), dtype=np.uint8)
X += (130 * Y[:, None, None]).astype(np.uint8)
SMALL: dict[str, Any] = {"max_epochs": 2, "factor": 2, "executor": "inline", "quiet": True}


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trials(folder: Path) -> list[dict[str, Any]]:
    """The values of each trial of the builder; those that are not asked for are left out.

    Of another model is the baseline, with which the command line's default space begins.
    """
    with open(folder / "trials.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {
            name.removeprefix("values."): _value(text)
            for name, text in row.items()
            if name.startswith("values.") and text
        }
        for row in rows
        if not row["model"]
    ]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def check(folder: Path, name: str) -> None:
    allowed, found = shapes.DECLARED[name], trials(folder)
    # A space of fewer settings has fewer trials; a promoted one is a trial of its own.
    assert 1 < len(found) <= N_TRIALS
    assert {key for values in found for key in values} <= set(allowed)
    for values in found:
        for key, value in values.items():
            choices = allowed[key]
            assert 1e-4 <= value <= 1e-2 if choices is None else value in choices
    if name == "conditional":
        assert all(("width" in one) == (one["kind"] == "wide") for one in found)
    if name == "loop":
        assert all(f"units_{one['num_layers']}" not in one for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shapes.DECLARED))
def test_published_shapes_are_searched_by_search(name: str) -> None:
    run = tuner.search(
        getattr(shapes, name), X[:30], Y[:30], validation_data=(X[30:], Y[30:]),
        max_trials=N_TRIALS, **SMALL,
    )  # fmt: skip
    check(run.folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shapes.DECLARED))
def test_published_shapes_are_searched_by_the_command_line(name: str, tmp_path: Path) -> None:
    place = place_of((X, Y), data_root=tmp_path)
    ran = call(
        "run", place, "--model", f"tests.api.shapes:{name}", "--search-only", "--max-epochs", "2",
        "--factor", "2", "--max-trials", str(N_TRIALS), "--executor", "inline", cwd=tmp_path,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    check(tmp_path / Path(ran.out.strip()).parent, name)
    if name == "OwnFit":
        assert "has a fit of its own, which is not called" in ran.err


# Named, as a builder may give its own layers the number of one that was made before.
_OUTSIDE = keras.layers.Dense(2, activation="softmax", name="outside")


def _with_a_layer_from_outside(hp: Any) -> keras.Model:
    del hp
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), _OUTSIDE]
    model = keras.Sequential([*layers[:2], keras.layers.Dense(4), *layers[2:]])
    model.compile("adam", shapes.SPARSE, metrics=["accuracy"])
    return model


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (shapes.two_inputs, "takes 2 inputs"),
        (shapes.mixed_types, "A `Choice` can contain only one type of value"),
        (lambda hp: "no model", "it returned str, not a keras.Model"),
        (shapes.OwnStep(4), "is a model that is built already"),
        (_with_a_layer_from_outside, "each trial would continue the training of the one before"),
    ],
    ids=["two inputs", "mixed types", "no model", "a model", "shared weights"],
)
def test_what_is_not_supported_is_refused_before_the_run_has_a_folder(
    build: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        tuner.search(build, X, Y, **SMALL)
    assert message in raised.value.message
    assert raised.value.hint
    assert not (tmp_path / "reports" / "arrays").exists()


@pytest.mark.parametrize("given", [{"model": "cnn"}, {"search_only": False}])
def test_options_that_the_arguments_say_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"search has no option {next(iter(given))}"):
        tuner.search(shapes.loop, X, Y, **given)


def test_a_model_in_the_space_is_refused_beside_the_builder() -> None:
    with pytest.raises(ConfigurationError, match="the space has a model"):
        tuner.search(shapes.loop, X, Y, space={"model": "cnn", "space": {"batch_size": 64}})


def test_a_space_adds_to_what_the_builder_declares() -> None:
    ranges = _space("val_accuracy", {"batch_size": 64})
    whole = _space("val_accuracy", tuner.Space(space={"batch_size": 64}, compare=[]))
    assert ranges.data["space"] == whole.data["space"] == {"batch_size": 64}
    assert _space(keras_tuner.Objective("val_loss", "min"), None).data["objective"] == {
        "name": "val_loss", "direction": "min",
    }  # fmt: skip
    assert _space("val_accuracy", "mine.yaml") == "mine.yaml"


@pytest.mark.parametrize("space", ["mine.yaml", {"objective": "val_accuracy", "space": {}}])
def test_the_objective_is_named_once(space: Any) -> None:
    with pytest.raises(ConfigurationError, match="objective is given twice"):
        tuner.search(shapes.loop, X, Y, objective="val_loss", space=space)


@pytest.mark.parametrize(
    ("given", "rungs"), [({}, (None, None)), ({"max_epochs": 9, "factor": 2}, (9, 2))]
)
def test_rungs_are_those_of_preset_and_space_unless_given(
    given: dict[str, Any], rungs: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("tuner.api.search.run", lambda *_, **options: seen.append(options))
    tuner.search(shapes.loop, X, Y, preset="quick", **given)
    words = option_words({"max_epochs": seen[0]["max_epochs"], "preset": "quick"})
    assert (seen[0]["max_epochs"], seen[0]["factor"]) == rungs
    assert ("--max-epochs" in words) == bool(given)


def test_a_builder_is_found_from_the_working_directory_wherever_the_reports_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("tuner.api.run.call_of", lambda given: seen.append(given["model"]))
    monkeypatch.setattr("tuner.api.run.call_run", lambda *_: None)
    tuner.run((X, Y), model=functools.partial(shapes.loop), out="elsewhere")
    module = seen[0].partition(":")[0]
    assert (tmp_path / "reports" / ".given" / "builders" / f"{module}.pickle").is_file()
    assert find_module(seen[0]) is not None
    assert not list(tmp_path.glob("elsewhere/**/*.pickle"))
