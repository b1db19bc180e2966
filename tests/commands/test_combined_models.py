"""Rows that combine predictions are models of the run: to predict with, and to train again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.calling import call, write_folds, write_space
from tests.commands.conftest import kept_models
from tests.commands.finished import Finished
from tuner.errors import ConfigurationError
from tuner.evaluation import ensemble
from tuner.exports.formats import FORMATS
from tuner.metrics.calibration import tempered
from tuner.recipe import load_recipe
from tuner.store.recipe_file import read_recipe

__all__ = ["kept_models"]

pytestmark = pytest.mark.slow

ROWS = ("tuned_tta", "ensemble")
# What a colleague does, who has Keras and these files only.
PLAIN = """
import json, sys
import keras
import numpy as np
from PIL import Image

images = np.stack([np.asarray(Image.open(path)) for path in sys.argv[2:]])[..., None]
for path in json.loads(sys.argv[1]):
    model = keras.models.load_model(path)
    print(json.dumps(np.asarray(model(images.astype("float32"))).tolist()))
assert not any(name.partition(".")[0] == "tuner" for name in sys.modules)
"""


@pytest.fixture(scope="module")
def combined(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run on images of two folds, whose ensemble has three members."""
    place = tmp_path_factory.mktemp("combined")
    write_folds(place, ("dark", "light", "lighter"), n=20)
    search = "search: {method: hyperband, max_epochs: 2, factor: 2}\ncompare: "
    few = "search: {method: random, max_epochs: 2, max_trials: 3}\ncompare: "
    write_space(place, f"{search}[]", f"{few}[tuned_tta, ensemble]")
    words = ("--space", "tiny.yaml", "--seed", "3", "--executor", "inline")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "select", lambda predicted, cost: (2, 1, 1))
        ended = call("run", "photos", *words, cwd=place)
    assert ended.code == 0, ended.err
    return Finished(place=place, outcome=ended)


def images_of(combined: Finished) -> list[Path]:
    return sorted(path.relative_to(combined.place) for path in combined.place.rglob("0?.png"))


@pytest.fixture
def images(combined: Finished) -> list[Path]:
    return images_of(combined)


def row(combined: Finished, name: str) -> dict:
    return next(one for one in combined.results["models"] if one["name"] == name)


def test_each_row_has_its_file_and_recipe_and_says_what_it_takes(combined: Finished) -> None:
    for name in ROWS:
        file = combined.path / "models" / f"{name}.keras"
        found, recipe = row(combined, name), read_recipe(file.with_suffix(".yaml"))
        assert found["file_size_bytes"] == file.stat().st_size
        # Views of an image alone are the network itself.
        assert found["n_parameters"] >= row(combined, "tuned")["n_parameters"]
        assert found["latency_ms"] > 0
        assert recipe.title == found["title"]
        assert recipe.combination is not None
        assert recipe.expected is not None
    assert row(combined, "ensemble")["title"] == "Ensemble of 3 trials (cnn)"


def test_recipe_states_the_members(combined: Finished) -> None:
    recipe = read_recipe(combined.path / "models" / "ensemble.yaml")
    assert recipe.combination is not None
    members = recipe.combination.members
    assert [one.share for one in members] == [0.5, 0.25, 0.25]
    assert recipe.values == members[0].values
    assert recipe.origin is not None
    assert recipe.origin.cut_short == ()
    text = (combined.path / "models" / "ensemble.yaml").read_text(encoding="utf-8")
    assert "It combines predictions." in text
    assert "load_recipe" not in text


@pytest.fixture(scope="module")
def plain(combined: Finished) -> dict[str, list[list[float]]]:
    """What plain Keras says of the images, by row; it takes ten seconds to import."""
    files = [str(combined.path / "models" / f"{name}.keras") for name in ROWS]
    command = [sys.executable, "-c", PLAIN, json.dumps(files), *images_of(combined)]
    done = subprocess.run(command, cwd=combined.place, capture_output=True, text=True, check=True)
    return dict(zip(ROWS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_predict_says_what_plain_keras_says_of_the_file(
    combined: Finished, images: list[Path], plain: dict[str, list[list[float]]], name: str
) -> None:
    shown = call("predict", combined.folder, "--model", name, *images, "--json", cwd=combined.place)
    title = row(combined, name)["title"]
    assert shown.code == 0, shown.err
    # A slow machine adds lines that say what is at work.
    assert shown.err.startswith(f"model: {title}, {combined.folder}/models/{name}.keras\n")
    found = np.array([list(record["probabilities"].values()) for record in shown.records])
    np.testing.assert_allclose(found, plain[name], atol=1e-5)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("wanted", list(FORMATS))
def test_export_gives_the_same_probabilities(
    combined: Finished, tmp_path: Path, name: str, wanted: str
) -> None:
    words = ("--model", name, "--format", wanted, "--out", tmp_path / "out", "--json")
    shown = call("export", combined.folder, *words, cwd=combined.place)
    assert shown.code == 0, shown.err
    (ended,) = shown.records
    assert ended["n_equal"] == ended["n"] > 0
    assert ended["max_difference"] < 1e-5
    about = json.loads((tmp_path / "out" / "labels.json").read_text(encoding="utf-8"))
    assert about["model"] == row(combined, name)["title"]


def test_an_ensemble_is_exported_to_onnx_in_float16(combined: Finished, tmp_path: Path) -> None:
    words = ("--model", "ensemble", "--format", "onnx", "--quantize", "float16", "--json")
    shown = call("export", combined.folder, *words, "--out", tmp_path / "out", cwd=combined.place)
    assert shown.code == 0, shown.err
    assert shown.records[0]["max_difference"] < 1e-2


def test_calibrated_probabilities_have_the_temperature_of_the_combination(
    combined: Finished, images: list[Path]
) -> None:
    words = ("predict", combined.folder, "--model", "ensemble", images[0], "--json")
    plain, cooled = (
        call(*words, *more, cwd=combined.place).records[0] for more in ((), ("--calibrated",))
    )
    temperature = read_recipe(combined.path / "models" / "ensemble.yaml").temperature
    assert temperature is not None
    expected = tempered([list(plain["probabilities"].values())], temperature)[0]
    assert list(cooled["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-4)
    assert temperature != pytest.approx(1.0), "else there is nothing to see"


@pytest.mark.parametrize("name", ROWS)
def test_train_makes_it_again(combined: Finished, name: str, images: list[Path]) -> None:
    out = f"again-{name}"
    words = ("train", "--from", combined.folder, "--model", name, "--out", out, "--json")
    shown = call(*words, cwd=combined.place)
    assert shown.code == 0, shown.err
    (run,) = [one for one in row(combined, name)["runs"] if one["is_kept"]]
    assert shown.records[-1]["test_accuracy"] == run["test"]["accuracy"]
    recipe = read_recipe(combined.place / out / "best.yaml")
    assert recipe.combination is not None
    assert recipe.test_accuracy == run["test"]["accuracy"]
    answers = [
        call("predict", *which, images[0], "--json", cwd=combined.place).records[0]
        for which in ((combined.folder, "--model", name), (out,))
    ]
    assert answers[0]["probabilities"] == pytest.approx(answers[1]["probabilities"], abs=1e-5)


def test_train_on_all_images_keeps_the_temperatures_of_the_recipe(combined: Finished) -> None:
    words = ("train", "--from", combined.folder, "--model", "ensemble", "--full-data")
    shown = call(*words, "--out", "full", "--json", cwd=combined.place)
    assert shown.code == 0, shown.err
    before, after = (
        read_recipe(path).combination
        for path in (
            combined.path / "models" / "ensemble.yaml",
            combined.place / "full" / "best.yaml",
        )
    )
    assert before == after
    assert read_recipe(combined.place / "full" / "best.yaml").temperature is None
    assert read_recipe(combined.place / "full" / "best.yaml").validation_score is None
    results = json.loads((combined.place / "full" / "results.json").read_text(encoding="utf-8"))
    # All images trained, those too that the model was checked on.
    assert [run["validation_score"] for run in results["models"][0]["runs"]] == [None]


def test_several_seeds_of_an_ensemble_are_refused(combined: Finished) -> None:
    words = ("train", "--from", combined.folder, "--model", "ensemble", "--seeds", "2")
    shown = call(*words, cwd=combined.place)
    assert shown.code == 2
    assert "--seeds 2: the recipe is of an ensemble, whose 3 members have a seed each" in shown.err


def test_a_script_cannot_build_it(combined: Finished) -> None:
    recipe = load_recipe(combined.path / "models" / "ensemble.yaml")
    with pytest.raises(ConfigurationError, match="combines predictions"):
        recipe.build()
