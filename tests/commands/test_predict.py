"""`predict`: a finished run's model and images of any kind."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.calling import HOSTILE_CLASSES, call
from tests.commands.finished import Finished
from tests.local_server import a_picture
from tuner.production import decoded_images
from tuner.production.sorted_folders import folder_names
from tuner.store.recipe_file import read_recipe, write_recipe


@pytest.fixture
def images(finished: Finished) -> list[Path]:
    folders = [finished.place / "my photos" / name for name in HOSTILE_CLASSES]
    return [(folder / "03.png").relative_to(finished.place) for folder in folders]


def test_class_and_probabilities_of_each_image(finished: Finished, images: list[Path]) -> None:
    shown = call("predict", finished.folder, *images, "--json", cwd=finished.place)
    assert (shown.code, shown.err) == (0, f"model: Tuned, {finished.folder}/model.keras\n")
    assert [record["image"] for record in shown.records] == [str(path) for path in images]
    for record in shown.records:
        shares = record["probabilities"]
        assert record["class"] == max(shares, key=shares.__getitem__)
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert len(shares) == 3


def test_lines_for_people_start_with_the_most_probable_class(
    finished: Finished, images: list[Path]
) -> None:
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
    said = f"model: Tuned, {finished.folder}/model.keras\npicture: {picture}\n"
    assert (shown.code, shown.err) == (0, said)
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"
        assert min(drawn.size) > 100


def test_picture_of_several_images_is_refused(finished: Finished, images: list[Path]) -> None:
    shown = call("predict", finished.folder, *images, "--picture", "out.png", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == "--picture draws one image, but 3 are given\n  Fix: give one image.\n"


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        (
            "notes.txt",
            "notes.txt: cannot be read as an image: not an image",
            "give an image that other programs can open.",
        ),
        ("gone.png", "gone.png: there is no such file", "check the path."),
    ],
)
def test_file_that_is_no_image(finished: Finished, name: str, message: str, fix: str) -> None:
    (finished.place / "notes.txt").write_text("text")
    shown = call("predict", finished.folder, name, cwd=finished.place)
    assert (shown.code, shown.out) == (4, "")
    assert shown.err == f"{message}\n  Fix: {fix}\n"


def test_folder_is_walked_and_bad_files_do_not_stop_the_others(
    finished: Finished, tmp_path: Path
) -> None:
    new = tmp_path / "new" / "sub"
    new.mkdir(parents=True)
    shutil.copy(next((finished.place / "my photos").rglob("03.png")), new / "b.png")
    Image.new("L", (20, 12)).save(new / "a.gif")
    Image.new("L", (8, 8), 200).save(tmp_path / "new" / "no suffix", format="PNG")
    (new / "bad.jpg").write_bytes(b"no image")
    (new / "notes.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    shown = call(
        "predict",
        finished.folder,
        tmp_path / "new",
        tmp_path / "empty",
        "--json",
        cwd=finished.place,
    )
    assert shown.code == 4
    names = [Path(record["image"]).name for record in shown.records]
    assert names == ["no suffix", "a.gif", "b.png", "bad.jpg", "empty"]
    assert [record.get("error") for record in shown.records[3:]] == [
        "not an image",
        "the folder holds no files",
    ]
    _, first, *rest = shown.err.splitlines()
    assert first == "left out, not images: 1 file: .txt (1)"
    assert rest[0] == "2 of 5 files cannot be read as images:"


def test_images_are_predicted_some_at_a_time(
    finished: Finished, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = call("predict", finished.folder, *images, "--json", cwd=finished.place)
    monkeypatch.setattr(decoded_images, "_IMAGES_AT_A_TIME", 2)
    found = call("predict", finished.folder, *images, "--json", cwd=finished.place)
    # Kernels for another number of images round in their own way.
    assert found.records == [
        {**one, "probabilities": pytest.approx(one["probabilities"], abs=1e-5)}
        for one in together.records
    ]


def test_names_come_from_stdin(
    finished: Finished, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = os.fsdecode(b"odd \x0b \xc2\x85 \xff.png")
    lines = f"{images[0]}\r\n\n{images[1]}\n{odd}"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(os.fsencode(lines))))
    shown = call("predict", finished.folder, "-", "--json", cwd=finished.place)
    assert [record["image"] for record in shown.records] == [*map(str, images[:2]), odd]


def test_unsure_images_get_no_class(finished: Finished, images: list[Path]) -> None:
    words = ("predict", finished.folder, *images, "--json", "--min-confidence")
    sure, unsure = (call(*words, share, cwd=finished.place).records for share in ("0.33", "1"))
    assert all(record["class"] for record in sure)
    assert [record["class"] for record in unsure] == [None] * 3
    assert [one["probabilities"] for one in unsure] == [one["probabilities"] for one in sure]


def test_images_are_sorted_by_their_predicted_class_and_written_to_a_file(
    finished: Finished, tmp_path: Path
) -> None:
    root, out = tmp_path / "sorted", tmp_path / "predictions.json"
    words = ("predict", finished.folder, "my photos", "--sort-into", root, "--out", out)
    shown = call(*words, cwd=finished.place)
    # One of the photos is broken.
    assert (shown.code, shown.out) == (4, f"{out}\n")
    assert "sorted into folders: 75 images" in shown.err
    rows = json.loads(out.read_text(encoding="utf-8"))
    predicted = {row["class"] for row in rows if "class" in row}
    folders = folder_names(HOSTILE_CLASSES)
    assert {path.name for path in root.iterdir()} == {folders[name] for name in predicted}
    assert len(list(root.rglob("*.png"))) == 75
    assert next(row for row in rows if "error" in row)["image"].endswith("zz broken.png")
    again = call(*words, cwd=finished.place)
    assert "sorted into folders: 0 images; 75 existed already" in again.err


def test_web_address_is_not_fetched_unasked(finished: Finished) -> None:
    shown = call("predict", finished.folder, "https://example.org/a.png", cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        "https://example.org/a.png: is a web address, and downloads are off by default\n  Fix:"
        " add --allow-download.\n"
    )


def test_image_of_a_web_address_is_predicted_like_a_file(
    finished: Finished, address: str, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(a_picture())
    images = (f"{address}/a.png", f"{address}/gone.png", tmp_path / "a.png")
    words = ("predict", finished.folder, *images, "--allow-download", "--json")
    shown = call(*words, cwd=finished.place)
    assert shown.code == 4
    fetched, gone, file = shown.records
    assert fetched == {**file, "image": f"{address}/a.png"}
    assert gone == {"image": f"{address}/gone.png", "error": "the server answers 404 Not Found"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.png", "--link"), "--link needs --sort-into"),
        (("list.csv", "--out", "list.csv"), "list.csv: --out would replace the list of images"),
        (
            ("my photos", "--sort-into", "my photos/sorted"),
            "my photos/sorted: --sort-into overlaps ",
        ),
        (("my photos", "--sort-into", "my photos"), "my photos: --sort-into overlaps with my ph"),
        (("./my photos", "--sort-into", "."), ".: --sort-into overlaps with my photos, which "),
        (("*.csv", "--out", "./list.csv"), "list.csv: --out would replace the list of images"),
        (("./list.csv", "--out", "list.csv"), "list.csv: --out would replace the list of images"),
        (("a.png", "--out", "a.parquet"), "a.parquet: writing Parquet needs a package"),
        (
            ("http://x.y/a.png", "--allow-download", "--sort-into", "s"),
            "http://x.y/a.png: --sort-into sorts files, and a downloaded image is not kept",
        ),
    ],
)
def test_options_that_do_not_go_together(
    finished: Finished, words: tuple[str, ...], message: str
) -> None:
    (finished.place / "list.csv").write_text("path\n")
    shown = call("predict", finished.folder, *words, cwd=finished.place)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(message)


def test_newest_run_of_the_data_set_predicts(only_run: Finished, images: list[Path]) -> None:
    shown = call("predict", "my_photos", *images, "--json", cwd=only_run.place)
    assert shown.err == f"model: Tuned, {only_run.folder}/model.keras\n"
    latest = call("predict", "latest", *images, "--json", cwd=only_run.place)
    assert latest.out == shown.out


def test_recipes_range_of_values_counts(finished: Finished, tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 3000, dtype=np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(np.full((8, 8), 187, dtype=np.uint8)).save(tmp_path / "plain.png")
    run = sealed_with(finished, tmp_path, value_range=(0.0, 4095.0))
    deep, plain = call(
        "predict", run, tmp_path / "deep.png", tmp_path / "plain.png", "--json", cwd=tmp_path
    ).records
    assert deep["probabilities"] == plain["probabilities"]
    assert "note" not in deep
    (noted,) = call("predict", finished.path, tmp_path / "deep.png", "--json", cwd=tmp_path).records
    assert noted["note"].startswith(
        "values 3000 to 3000 of more than 8 bits, unlike the data of the recipe: 0 to 65,5"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "bad.keras: the model's probabilities are not finite for 1 of 1 images"),
        (
            500.0,
            (
                "bad.keras: the model's outputs are no probabilities: they are negative, or do not"
                " sum to 1"
            ),
        ),
    ],
)
def test_outputs_that_are_no_probabilities_are_refused(
    finished: Finished, images: list[Path], tmp_path: Path, value: float, message: str
) -> None:
    image = (finished.place / images[0]).resolve()
    import keras

    spec = read_recipe(finished.path / "best.yaml").image
    last = keras.layers.Dense(spec.n_classes)
    model = keras.Sequential([keras.Input(spec.shape), keras.layers.Flatten(), last])
    last.set_weights([np.zeros_like(last.kernel), np.full(spec.n_classes, value)])
    model.save(tmp_path / "bad.keras")
    shown = call("predict", finished.path, image, "--model", "bad.keras", cwd=tmp_path)
    assert (shown.code, shown.out) == (2, "")
    named, first, fix = shown.err.splitlines()
    assert (named, first) == ("model: bad.keras", message)
    assert fix.startswith("  Fix: ")


def test_model_that_is_none(finished: Finished, images: list[Path]) -> None:
    shown = call("predict", finished.folder, images[0], "--model", "tiny.yaml", cwd=finished.place)
    assert shown.code == 2
    model, error, _ = shown.err.splitlines()
    assert model == "model: tiny.yaml"
    assert error.startswith("tiny.yaml: cannot be loaded as a Keras model: ")


def test_calibrated_probabilities_are_those_of_the_logits_divided_by_the_temperature(
    finished: Finished, images: list[Path], tmp_path: Path
) -> None:
    run = sealed_with(finished, tmp_path, temperature=2.0)
    plain = call("predict", run, images[0], "--json", cwd=finished.place).records[0]
    shown = call("predict", run, images[0], "--calibrated", "--json", cwd=finished.place)
    assert shown.code == 0
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
    assert first == f"{run / 'best.yaml'}: it states no temperature to calibrate with"
    assert (
        fix
        == "  Fix: leave --calibrated out, or give a run whose models were retrained and tested."
    )


def test_temperature_is_not_that_of_another_model(finished: Finished, images: list[Path]) -> None:
    model = finished.folder / "model.keras"
    shown = call(
        "predict", finished.folder, images[0], "--calibrated", "--model", model, cwd=finished.place
    )
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(
        "--calibrated uses a temperature that was fitted to the run's own model"
    )


def sealed_with(
    finished: Finished,
    folder: Path,
    temperature: float | None = None,
    value_range: tuple[float, float] | None = None,
) -> Path:
    """The run's recipe with another temperature or range of values, and its model."""
    recipe = read_recipe(finished.path / "best.yaml")
    recipe = replace(
        recipe, temperature=temperature, data=replace(recipe.data, value_range=value_range)
    )
    write_recipe(recipe, folder / "best.yaml", "")
    shutil.copy(finished.path / "model.keras", folder)
    return folder
