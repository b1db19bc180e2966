"""`predict` and `report`: what a finished run is good for."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from tests.cli.calling import HOSTILE_CLASSES, call
from tests.commands.finished import Finished
from tuner.store.recipe_file import read_recipe, write_recipe


@pytest.fixture
def images(finished: Finished) -> list[Path]:
    folders = [finished.place / "my photos" / name for name in HOSTILE_CLASSES]
    return [(folder / "03.png").relative_to(finished.place) for folder in folders]


def test_class_and_probabilities_of_each_image(finished: Finished, images: list[Path]) -> None:
    shown = call("predict", finished.folder, *images, "--json", cwd=finished.place)
    assert (shown.code, shown.err) == (0, "")
    assert [record["image"] for record in shown.records] == [str(path) for path in images]
    for record in shown.records:
        shares = record["probabilities"]
        assert record["class"] == max(shares, key=shares.__getitem__)
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert len(shares) == 3


def test_lines_for_people_start_with_the_most_probable_class(finished: Finished, images: list[Path]) -> None:
    records = call("predict", finished.folder, *images, "--json", cwd=finished.place).records
    shown = call("predict", finished.folder, *images, cwd=finished.place)
    assert "\x1b" not in shown.out
    assert len(shown.out.splitlines()) == 3
    for line, record in zip(shown.out.splitlines(), records, strict=True):
        share = record["probabilities"][record["class"]]
        assert f".png: {record['class']} {100 * share:.1f} %, " in line


def test_picture(finished: Finished, images: list[Path], tmp_path: Path) -> None:
    picture = tmp_path / "out.png"
    shown = call("predict", finished.folder, images[1], "--picture", picture, cwd=finished.place)
    assert (shown.code, shown.err) == (0, f"picture: {picture}\n")
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"
        assert min(drawn.size) > 100


def test_picture_of_several_images_is_refused(finished: Finished, images: list[Path]) -> None:
    shown = call("predict", finished.folder, *images, "--picture", "out.png", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == "--picture draws one image, but 3 are given\n  Fix: give one image.\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("notes.txt", "notes.txt: cannot be read as an image: not an image"),
        ("gone.png", "gone.png: cannot be read as an image: No such file or directory"),
    ],
)
def test_file_that_is_no_image(finished: Finished, name: str, message: str) -> None:
    (finished.place / "notes.txt").write_text("text")
    shown = call("predict", finished.folder, name, cwd=finished.place)
    assert (shown.code, shown.out) == (4, "")
    assert shown.err == f"{message}\n  Fix: give a picture that other programs open.\n"


def test_model_that_is_none(finished: Finished, images: list[Path]) -> None:
    shown = call("predict", finished.folder, images[0], "--model", "tiny.yaml", cwd=finished.place)
    assert shown.code == 2
    assert shown.err.startswith("tiny.yaml: cannot be loaded as a Keras model: ")
    assert len(shown.err.splitlines()) == 2


def test_report_rebuilds_the_same_bytes(finished: Finished) -> None:
    page = finished.path / "report.html"
    before = page.read_bytes()
    page.unlink()
    shown = call("report", finished.folder, cwd=finished.place)
    assert (shown.code, shown.out, shown.err) == (0, f"{finished.folder}/report.html\n", "")
    assert page.read_bytes() == before


def test_calibrated_probabilities_are_those_of_the_logits_divided_by_the_temperature(
    finished: Finished, images: list[Path], tmp_path: Path
) -> None:
    run = sealed_with(finished, tmp_path, temperature=2.0)
    plain = call("predict", run, images[0], "--json", cwd=finished.place).records[0]
    shown = call("predict", run, images[0], "--calibrated", "--json", cwd=finished.place)
    assert (shown.code, shown.err) == (0, "")
    roots = {name: share**0.5 for name, share in plain["probabilities"].items()}
    expected = {name: root / sum(roots.values()) for name, root in roots.items()}
    assert shown.records[0]["probabilities"] == pytest.approx(expected, abs=1e-4)
    assert shown.records[0]["class"] == plain["class"]


def test_recipe_without_a_temperature_calibrates_nothing(
    finished: Finished, images: list[Path], tmp_path: Path
) -> None:
    run = sealed_with(finished, tmp_path, temperature=None)
    shown = call("predict", run, images[0], "--calibrated", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    first, fix = shown.err.splitlines()
    assert first == f"{run / 'best.yaml'}: it states no temperature, so nothing is known to calibrate with"
    assert fix == "  Fix: leave --calibrated out, or give a run whose winner was retrained and tested."


def test_temperature_is_not_that_of_another_model(finished: Finished, images: list[Path]) -> None:
    model = finished.folder / "model.keras"
    shown = call("predict", finished.folder, images[0], "--calibrated", "--model", model, cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("--calibrated uses a temperature that was fitted to the run's own model")


def sealed_with(finished: Finished, folder: Path, temperature: float | None) -> Path:
    """The run's recipe with another temperature, and its model."""
    recipe = replace(read_recipe(finished.path / "best.yaml"), temperature=temperature)
    write_recipe(recipe, folder / "best.yaml", "")
    shutil.copy(finished.path / "model.keras", folder)
    return folder


def test_markdown_is_printed_and_the_page_left_alone(finished: Finished) -> None:
    page = finished.path / "report.html"
    before = page.stat().st_mtime_ns
    shown = call("report", finished.folder, "--markdown", cwd=finished.place)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("### ")
    assert "\n| Model | Test accuracy |" in shown.out
    assert "\x1b" not in shown.out
    assert page.stat().st_mtime_ns == before


def test_run_has_written_the_page_of_all_runs(finished: Finished) -> None:
    page = (finished.place / "reports" / "index.html").read_text(encoding="utf-8")
    assert f'href="{quote(finished.folder.relative_to("reports").as_posix())}/report.html"' in page
    assert "not written" not in finished.outcome.err


def test_results_that_are_damaged(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.json").write_text('{"run": 3')
    shown = call("report", "run", cwd=tmp_path)
    assert shown.code == 2
    first, fix = shown.err.splitlines()
    assert first.startswith("run/results.json: cannot be read as results of this version: ")
    assert fix == "  Fix: run the search again, or use the version of tuner that wrote it."
