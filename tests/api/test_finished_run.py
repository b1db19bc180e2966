"""A finished run in a script: found by its names, with its models and numbers."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tuner
from tests.cli.calling import HOSTILE_CLASSES, call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tuner.api.finished_run import FinishedRun
from tuner.api.load import load
from tuner.errors import ConfigurationError, DataError
from tuner.store.files.reading import DamagedFileError
from tuner.store.run_folder import RunFolder


@pytest.fixture(scope="module")
def searched(place: Path) -> FinishedRun:
    """A run that has only searched."""
    outcome = whole_run(place, "--search-only", "--max-epochs", "1", "--seed", "7")
    return FinishedRun(Finished(place=place, outcome=outcome).path)


@pytest.fixture
def copied(run: FinishedRun, tmp_path: Path) -> Path:
    """The run's folder, copied to be damaged."""
    return Path(shutil.copytree(run.folder, tmp_path / "copy"))


def test_names_of_a_run_are_those_of_the_command_line(digits: Finished, in_digits: Path) -> None:
    names = (
        "digits",
        "latest",
        "reports/digits/latest",
        digits.folder,
        f"{digits.folder}/best.yaml",
    )
    assert {load(name).folder for name in names} == {digits.path}
    assert load(digits.path).results == load("digits").results


@pytest.mark.parametrize("name", ["digist", "reports/digits", "nowhere/at all"])
def test_an_unknown_name_has_the_error_of_the_command_line(
    digits: Finished, in_digits: Path, name: str
) -> None:
    shown = call("report", name, cwd=in_digits)
    with pytest.raises(ConfigurationError) as caught:
        load(name)
    assert shown.err == f"{caught.value}\n"


def test_a_file_without_a_run_around_it(tmp_path: Path) -> None:
    (tmp_path / "best.yaml").write_text("")
    with pytest.raises(ConfigurationError, match="is a file that belongs to no run"):
        load(tmp_path / "best.yaml")


def test_a_run_that_has_just_begun_says_how_to_go_on(copied: Path) -> None:
    (copied / "results.json").unlink()
    (copied / "state").mkdir(exist_ok=True)
    (copied / "state" / "open").touch()
    with pytest.raises(
        ConfigurationError, match="the run has started but has no results yet"
    ) as caught:
        FinishedRun(copied)
    assert caught.value.hint.endswith(" --resume")


def test_a_damaged_configuration_of_a_run_that_has_just_begun(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_config({"options": "damaged"})
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "open").touch()
    with pytest.raises(ConfigurationError, match="has no results yet") as caught:
        FinishedRun(tmp_path)
    assert caught.value.hint == "resume it: python -m tuner run DATASET --resume"


def test_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no results\.json"):
        FinishedRun(tmp_path)


def test_files_give_the_numbers_of_the_command_line(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.place)
    photos = finished.place.relative_to(finished.place) / "my photos" / HOSTILE_CLASSES[0]
    found = load(finished.folder).predict(photos / "03.png")
    shown = call("predict", finished.folder, photos / "03.png", "--json", cwd=finished.place)
    (record,) = shown.records
    (row,) = found.to_dict("records")
    assert (row["image"], row["class"]) == (record["image"], record["class"])
    shares = {f"probability.{name}": share for name, share in record["probabilities"].items()}
    assert {name: row[name] for name in shares} == shares
    assert row["confidence"] == max(shares.values())


def test_folder_gives_the_rows_of_out_and_a_warning_of_broken_files(
    run: FinishedRun, finished: Finished, tmp_path: Path
) -> None:
    folder = finished.place / "my photos" / sorted(HOSTILE_CLASSES)[0]
    call("predict", finished.path, folder, "--out", tmp_path / "out.json", cwd=finished.place)
    records = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    message = r"^1 file of 26 cannot be read as images, and the column"
    with pytest.warns(UserWarning, match=message) as caught:
        found = run.predict(folder)
    assert caught[0].filename == __file__
    assert found["image"].tolist() == [record["image"] for record in records]
    assert found["error"].count() == 1
    for row, record in zip(found.to_dict("records"), records, strict=True):
        if "error" in record:
            assert row["error"] == record["error"]
        else:
            assert row["class"] == record["class"]


@pytest.mark.parametrize("kind", ["uint8", "int64", "float64"])
def test_pixels_give_the_numbers_of_their_file(
    run: FinishedRun, finished: Finished, kind: str
) -> None:
    files = [finished.place / "my photos" / name / "03.png" for name in HOSTILE_CLASSES]
    pixels = np.stack([np.asarray(Image.open(path)) for path in files]).astype(kind)
    of_files = run.predict(files)
    for given in (pixels, pixels[..., None], list(pixels), iter(pixels)):
        of_pixels = run.predict(given)
        assert of_pixels["image"].tolist() == ["image 0", "image 1", "image 2"]
        assert of_pixels.drop(columns="image").equals(of_files.drop(columns="image"))
    assert run.predict(pixels[0])["confidence"][0] == pytest.approx(of_files["confidence"][0])


def test_options_of_predict_have_their_meaning(run: FinishedRun, finished: Finished) -> None:
    image = finished.place / "my photos" / HOSTILE_CLASSES[0] / "03.png"
    assert run.predict(image, min_confidence=1.0)["class"].isna().all()
    assert run.predict(image, model="tuned").equals(run.predict(image))
    calibrated = run.predict(image, calibrated=True)
    temperature = run.recipe.recipe.temperature
    names = [name for name in calibrated if name.startswith("probability.")]
    roots = run.predict(image)[names].to_numpy()[0] ** (1 / temperature)
    assert calibrated[names].to_numpy()[0] == pytest.approx(roots / roots.sum(), abs=1e-4)
    with pytest.raises(ConfigurationError, match="is a web address"):
        run.predict("http://x.y/a.png")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("gone.png", "gone.png: cannot be read as an image: No such file or directory"),
        (
            ["gone.png", Path("lost.png")],
            "none of 2 files can be read as an image: gone.png: No such",
        ),
        ([], "there are no images"),
    ],
)
def test_only_files_that_cannot_be_read(run: FinishedRun, images: object, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        run.predict(images)


def test_models_are_loaded_by_name(run: FinishedRun) -> None:
    assert run.model_names == ("tuned",)
    images = np.zeros((2, 8, 8, 1), dtype="uint8")
    shares = run.predict(images)[[f"probability.{name}" for name in run.results.data.class_names]]
    for model in (run.model(), run.model("tuned")):
        assert model.predict(images, verbose=0) == pytest.approx(shares.to_numpy(), abs=1e-6)
    with pytest.raises(ConfigurationError, match='there is no model "tunde"') as caught:
        run.model("tunde")
    assert caught.value.hint == 'did you mean "tuned"? the run keeps tuned.'


def test_a_model_leaves_the_process_as_it_was(
    run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TF_CPP_MIN_LOG_LEVEL", "TUNER_ACCELERATION"):
        monkeypatch.delenv(name, raising=False)
    before, state = dict(os.environ), random.getstate()
    run.model()
    run.best_hyperparameters()
    run.predict(np.zeros((1, 8, 8, 1), dtype="uint8"))
    assert (dict(os.environ), random.getstate()) == (before, state)


def test_recipe_is_the_recommended_models(run: FinishedRun) -> None:
    assert run.recipe.recipe.origin is not None
    assert run.recipe.recipe.origin.run == run.results.run.run_id
    assert run.recipe.build().input_shape == (None, 8, 8, 1)


def test_search_alone_has_its_search_and_says_that_it_has_no_model(searched: FinishedRun) -> None:
    assert len(searched.trials) == searched.results.search.n_trials
    assert searched.scores.empty
    assert searched.recipe.recipe.values == searched.best_values
    for ask in (searched.model, lambda: searched.predict("a.png")):
        with pytest.raises(
            ConfigurationError, match="the run has only searched, so it has no model"
        ):
            ask()
    with pytest.raises(ConfigurationError, match="there are no predictions of test images"):
        _ = searched.predictions
    assert searched._repr_html_().count("<circle") == len(searched.trials)


def test_unfinished_run_has_its_trials_and_says_how_to_go_on(copied: Path) -> None:
    folder = RunFolder(copied)
    results = folder.read_results()
    folder.write_results(
        replace(
            results,
            run=replace(results.run, state="interrupted"),
            models=(),
            recommendation=None,
            differences=(),
        )
    )
    run = FinishedRun(copied)
    assert len(run.trials) == results.search.n_trials
    assert "interrupted" in repr(run)
    assert "Interrupted" in run._repr_html_()
    with pytest.raises(
        ConfigurationError, match="the run has not ended, so it has no model yet"
    ) as c:
        run.model()
    assert c.value.hint == f"resume it: {results.run.command} --resume"


def test_paths_and_texts(run: FinishedRun) -> None:
    assert run.report_path.is_file()
    text = repr(run)
    assert text.startswith(f"FinishedRun({str(run.folder)!r}): my_photos, complete, ")
    assert "Use Tuned: " in text
    assert "\n" not in text


@pytest.mark.parametrize("files", [("trials.csv", "curves.csv"), ("trials.csv",), ("curves.csv",)])
def test_missing_tables_are_no_empty_frames(copied: Path, files: tuple[str, ...]) -> None:
    for name in files:
        (copied / name).unlink()
    for frame in ("trials", "curves"):
        with pytest.raises(DamagedFileError, match=r"trials\.csv|curves\.csv"):
            getattr(FinishedRun(copied), frame)


def test_a_lost_last_trial_is_told(copied: Path) -> None:
    last = (copied / "trials.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")[0]
    for name in ("trials.csv", "curves.csv"):
        lines = (copied / name).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(f"{last},")]
        (copied / name).write_text("".join(kept), encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"hold .* but the run had"):
        _ = FinishedRun(copied).trials


def test_files_are_found_from_another_working_directory(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied.parent)
    run = FinishedRun(copied.name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(run.curves) == run.results.search.n_epochs
    assert run.folder == copied


def test_images_may_be_an_array_or_a_column_of_names(run: FinishedRun, finished: Finished) -> None:
    files = [str(finished.place / "my photos" / name / "03.png") for name in HOSTILE_CLASSES]
    expected = run.predict(files)
    for given in (np.array(files), np.array(files, dtype=object), pd.Series(files)):
        assert run.predict(given).equals(expected)


def test_notebook_shows_a_run_whose_trials_are_damaged(copied: Path) -> None:
    (copied / "trials.csv").write_text("trial_id\n")
    run = FinishedRun(copied)
    with pytest.raises(DamagedFileError):
        _ = run.trials
    html = run._repr_html_()
    assert "The trials are not shown" in html
    assert "<svg" not in html


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("predictions.npz", b"no archive", r"predictions\.npz: cannot be read as this run's"),
        ("predictions.npz", None, r"predictions\.npz: cannot be read as this run's predictions \("),
        (
            "split.csv",
            b"image,part\n",
            r"split\.csv: names 0 test images, but predictions\.npz holds",
        ),
        ("split.csv", b"\xff", r"split\.csv: cannot be read as the run's split"),
        ("split.csv", b"a,b\n1,2\n", r"split\.csv: cannot be read as the run's split"),
    ],
)
def test_damaged_predictions(copied: Path, file: str, content: bytes | None, message: str) -> None:
    if content is None:
        (copied / file).unlink()
    else:
        (copied / file).write_bytes(content)
    with pytest.raises(DamagedFileError, match=message):
        _ = FinishedRun(copied).predictions


def test_predictions_of_another_run_are_refused(copied: Path, digits: Finished) -> None:
    shutil.copy(digits.path / "predictions.npz", copied)
    with pytest.raises(DamagedFileError, match="labels has the shape"):
        _ = FinishedRun(copied).predictions


def test_run_is_what_load_returns() -> None:
    assert tuner.load is load
