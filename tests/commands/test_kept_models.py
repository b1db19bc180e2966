"""Every model of a run is kept with its recipe, and one of them is the run's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import call, write_photos, write_space
from tests.commands.conftest import kept_models
from tests.commands.finished import Finished
from tuner.records.sealed_recipe import Recipe
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder

__all__ = ["kept_models"]

pytestmark = pytest.mark.slow

CARD = """\
version: 1
name: photos
title: Photos
description: Dark and light noise.
source: the tests
licence: none
files: {type: class_folders, path: photos}
image: {height: 8, width: 8, channels: 1}
class_names: [dark, light]
baseline:
  model: sigmoid_cnn
  title: two convolutions
  source: the tests
  values: {filters: [4], dense_units: 4, dropout: 0.0, learning_rate: 1e-2}
  published: {epochs: 3, stop_metric: accuracy, stop_value: 0.999}
"""
NAMES = ["baseline", "baseline_published", "tuned"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A whole run that compares its winner with a baseline in two forms."""
    place = tmp_path_factory.mktemp("compared")
    write_photos(place / "datasets" / "data" / "photos", ["dark", "light"], n=40)
    (place / "datasets" / "photos.yaml").write_text(CARD, encoding="utf-8")
    write_space(place, "compare: []", "compare: [baseline, baseline_published]")
    words = ("--space", "tiny.yaml", "--seed", "3", "--executor", "inline", "--max-trials", "2")
    ended = call("run", "photos", *words, cwd=place)
    assert ended.code == 0, ended.err
    return Finished(place=place, outcome=ended)


@pytest.fixture
def image(compared: Finished) -> Path:
    return next((compared.place / "datasets").rglob("00.png"))


def recipes(compared: Finished) -> Iterator[tuple[str, Recipe]]:
    for name in NAMES:
        yield name, read_recipe(compared.path / "models" / f"{name}.yaml")


def test_each_contender_has_its_model_and_recipe(compared: Finished) -> None:
    files = {path.name for path in (compared.path / "models").iterdir()}
    assert files == {f"{name}.{suffix}" for name in NAMES for suffix in ("keras", "yaml")}
    models = {model["name"]: model for model in compared.results["models"]}
    for name, recipe in recipes(compared):
        kept = next(run for run in models[name]["runs"] if run["is_kept"])
        assert (recipe.title, recipe.model) == (models[name]["title"], models[name]["model"])
        assert dict(recipe.values) == models[name]["values"]
        assert recipe.validation_score == kept["validation_score"]
        assert recipe.test_accuracy == kept["test"]["accuracy"]
        assert (recipe.epochs, recipe.max_epochs) == (
            kept["best_epoch"],
            models[name]["max_epochs"],
        )
        assert recipe.temperature is not None
    assert len({recipe.temperature for _, recipe in recipes(compared)}) > 1


def test_published_baseline_keeps_its_own_reason_to_stop(compared: Finished) -> None:
    published = dict(recipes(compared))["baseline_published"]
    assert (published.patience, published.stop_metric, published.keeps_best) == (
        None,
        "accuracy",
        False,
    )
    assert (published.stop_value, published.max_epochs) == (0.999, 3)


def test_the_recommended_one_is_the_runs_own(compared: Finished) -> None:
    found = compared.results["recommendation"]
    name, model = found["model"], compared.path / found["file"]
    assert sorted(one["name"] for one in found["candidates"]) == NAMES
    assert model.samefile(compared.path / "models" / f"{name}.keras")
    assert read_recipe(compared.path / "best.yaml") == dict(recipes(compared))[name]
    title = dict(recipes(compared))[name].title
    (use,) = [line for line in compared.outcome.err.splitlines() if line.startswith("Use ")]
    assert use.startswith(f"Use {title}: ")
    page = (compared.path / "report.html").read_text(encoding="utf-8")
    assert page.index('<section id="recommendation"') < page.index('<section id="verdict"')


def test_predict_takes_the_recommended_model_or_one_by_its_name(
    compared: Finished, image: Path
) -> None:
    found = compared.results["recommendation"]["model"]
    titles = {name: recipe.title for name, recipe in recipes(compared)}
    shown = {}
    for name in NAMES:
        shown[name] = call(
            "predict", compared.folder, image, "--json", "--model", name, cwd=compared.place
        )
        file = f"{compared.folder}/models/{name}.keras"
        assert (shown[name].code, shown[name].err) == (0, f"model: {titles[name]}, {file}\n")
    own = call("predict", compared.folder, image, "--json", cwd=compared.place)
    assert own.err == f"model: {titles[found]}, {compared.folder}/model.keras\n"
    assert own.out == shown[found].out
    assert len({one.out for one in shown.values()}) > 1
    recipe = f"{compared.folder}/models/{found}.yaml"
    assert call("predict", recipe, image, "--json", cwd=compared.place).out == own.out
    file = f"{compared.folder}/models/tuned.keras"
    as_file = call("predict", compared.folder, image, "--json", "--model", file, cwd=compared.place)
    assert (as_file.err, as_file.out) == (f"model: {file}\n", shown["tuned"].out)


def test_each_model_has_a_temperature_of_its_own(compared: Finished, image: Path) -> None:
    words = ("predict", compared.folder, image, "--json")
    for name, recipe in recipes(compared):
        plain = call(*words, "--model", name, cwd=compared.place).records[0]["probabilities"]
        shown = call(*words, "--model", name, "--calibrated", cwd=compared.place)
        assert shown.code == 0
        powers = {key: share ** (1 / (recipe.temperature or 0)) for key, share in plain.items()}
        expected = {key: power / sum(powers.values()) for key, power in powers.items()}
        assert shown.records[0]["probabilities"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("words", "given", "fix"),
    [
        (("predict", "RUN", "IMAGE"), "tunde", 'did you mean "tuned"? the run keeps'),
        (("predict", "RUN", "IMAGE"), "resnet", "the run keeps"),
        (("train", "--from", "RUN"), "base line", 'did you mean "baseline"? the run keeps'),
        (("train", "--from", "RUN"), "../best", "the run keeps"),
    ],
)
def test_a_name_that_no_model_has_is_refused(
    compared: Finished, image: Path, words: tuple[str, ...], given: str, fix: str
) -> None:
    put = {"RUN": compared.folder, "IMAGE": image}
    shown = call(*(put.get(word, word) for word in words), "--model", given, cwd=compared.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.splitlines() == [
        f'{compared.folder}: there is no model "{given}"',
        f"  Fix: {fix} baseline, baseline_published, tuned.",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_train_gives_the_scores_of_each_model_again(
    compared: Finished, tmp_path: Path, name: str
) -> None:
    recipe = dict(recipes(compared))[name]
    out = tmp_path / "again"
    words = ("train", "--from", compared.folder, "--model", name, "--out", out, "--json")
    shown = call(*words, cwd=compared.place)
    assert shown.code == 0, shown.err
    last = shown.records[-1]
    assert last["val_accuracy"] == recipe.validation_score
    assert last["test_accuracy"] == recipe.test_accuracy
    assert not any(record["event"] == "Notice" for record in shown.records)


def test_trained_model_lies_beside_the_runs_own_and_not_among_the_kept(
    compared: Finished,
) -> None:
    words = ("train", "--from", compared.folder, "--model", "baseline", "-q")
    shown = call(*words, cwd=compared.place)
    trained = Path(shown.out.strip()).parent
    assert trained.parent == compared.folder
    shutil.rmtree(compared.place / trained)


def test_headers_of_recipes_name_their_model(compared: Finished) -> None:
    best = (compared.path / "best.yaml").read_text(encoding="utf-8")
    assert f"#   python -m tuner train --from {compared.folder}\n" in best.replace(
        "# Train it again:  ", "#   "
    )
    baseline = (compared.path / "models" / "baseline.yaml").read_text(encoding="utf-8")
    assert f"train --from {compared.folder} --model baseline\n" in baseline
    assert 'load_recipe("baseline.yaml")' in baseline


def test_a_run_of_an_earlier_version_keeps_one_model_without_a_name(
    compared: Finished, image: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(compared.path, folder)
    shutil.rmtree(folder / "models")
    assert call("predict", folder, image, cwd=compared.place).code == 0
    shown = call("train", "--from", folder, "--model", "tuned", cwd=compared.place)
    assert shown.err.splitlines() == [
        f'{folder}: there is no model "tuned"',
        "  Fix: leave --model out: this run keeps one model, without a name.",
    ]


def test_a_folder_in_the_place_of_a_model_is_told(compared: Finished, tmp_path: Path) -> None:
    shutil.copytree(compared.path, tmp_path / "run")
    model = tmp_path / "run" / "models" / "tuned.keras"
    model.unlink()
    model.mkdir()
    shown = call("report", tmp_path / "run", cwd=compared.place)
    assert shown.code == 2
    assert "tuned.keras: is a folder, but a file of the run belongs there" in shown.err
    assert RunFolder(tmp_path / "run").read_results().recommendation is not None
