"""A target is the name of a card, or a path to your own data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.cards.written_card import BUNDLED
from tests.data.samples import random_images, write_fer, write_folders
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError, DataError


def test_unknown_data_set_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve("fer2014", [BUNDLED], tmp_path)
    assert caught.value.message == 'no data set is called "fer2014"'
    hint = (
        'did you mean "fer2013"? `python -m tuner datasets` lists them; a folder or file works too.'
    )
    assert caught.value.hint == hint
    assert caught.value.exit_code == 2


def test_missing_path_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        resolve(str(tmp_path / "none.csv"), [BUNDLED], tmp_path)
    assert caught.value.message == f"{tmp_path / 'none.csv'}: there is no such file or folder"


def test_folder_of_class_folders_needs_no_card(tmp_path: Path) -> None:
    write_folders(tmp_path / "My Photos!", {"cat": 3, "dog": 3}, size=20)
    card = resolve(str(tmp_path / "My Photos!"), [BUNDLED], tmp_path)
    assert (card.name, card.title, card.image.shape) == ("my_photos", "My Photos!", (20, 20, 3))
    assert load_images(card, tmp_path / "data").class_names == ("cat", "dog")


def test_folder_among_the_data_is_found_by_its_name(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3}, size=20)
    assert resolve("photos", [BUNDLED], tmp_path).name == "photos"


@pytest.mark.parametrize(("size", "side"), [((300, 200), 250), ((4000, 3000), 2048), ((5, 4), 8)])
def test_own_photos_have_their_typical_size_within_what_a_card_may_state(
    tmp_path: Path, size: tuple[int, int], side: int
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("L", size).save(tmp_path / "photos" / name / "a.png")
    assert resolve(str(tmp_path / "photos"), [], tmp_path).image.shape == (side, side, 1)


def test_given_parts_of_a_folder_are_found(tmp_path: Path) -> None:
    for part in ("Train", "val"):
        write_folders(tmp_path / "photos" / part, {"cat": 3, "dog": 3}, size=8)
    card = resolve(str(tmp_path / "photos"), [], tmp_path)
    loaded = load_images(card, tmp_path)
    assert loaded.parts.tolist() == ["train"] * 6 + ["validation"] * 6
    assert loaded.origins[0] == "Train/cat/0.png"


def test_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        resolve(str(tmp_path), [], tmp_path)
    assert caught.value.message == f"{tmp_path}: the folder is empty"


def test_fer_style_csv_needs_no_card(tmp_path: Path) -> None:
    write_fer(tmp_path / "faces.csv", range(7))
    card = resolve(str(tmp_path / "faces.csv"), [], tmp_path)
    assert card.image.shape == (4, 4, 1)
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert load_images(card, tmp_path).class_names == names


@pytest.mark.parametrize("labels", [[4, 3, 4], [" 4", "3.0", "04"], ["sad", 3, "4"]])
def test_fer_style_csv_of_some_classes_has_only_these(tmp_path: Path, labels: list[object]) -> None:
    write_fer(tmp_path / "faces.csv", labels)
    loaded = load_images(resolve(str(tmp_path / "faces.csv"), [], tmp_path), tmp_path)
    assert loaded.class_names == ("happy", "sad")
    assert loaded.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([3, 4, 9], 'faces.csv, line 4: the label is "9"; expected 0 to 6'),
        ([3, 3], 'faces: all images are of one class, "happy"'),
    ],
)
def test_labels_that_are_not_fers_are_refused(
    tmp_path: Path, labels: list[int], message: str
) -> None:
    write_fer(tmp_path / "faces.csv", labels)
    with pytest.raises(DataError) as caught:
        load_images(resolve(str(tmp_path / "faces.csv"), [], tmp_path), tmp_path)
    assert caught.value.message == message


def test_csv_with_text_labels_names_its_classes(tmp_path: Path) -> None:
    write_fer(tmp_path / "faces.csv", ["b", "a", "b"])
    text = (tmp_path / "faces.csv").read_text().replace("emotion", "kind")
    (tmp_path / "faces.csv").write_text(text)
    loaded = load_images(resolve(str(tmp_path / "faces.csv"), [], tmp_path), tmp_path)
    assert loaded.class_names == ("a", "b")
    assert loaded.labels.tolist() == [1, 0, 1]


def test_csv_of_no_square_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text('emotion,pixels\n0,"1 2 3"\n')
    with pytest.raises(DataError) as caught:
        resolve(str(tmp_path / "faces.csv"), [], tmp_path)
    message = (
        "faces.csv, line 2: it has 3 pixels; expected a square number, such as 2,304 (48 x 48)"
    )
    assert caught.value.message == message


def test_npz_with_parts_needs_no_card(tmp_path: Path) -> None:
    x, y = random_images(6, channels=3), [0, 1, 0, 1, 0, 1]
    np.savez(tmp_path / "a.npz", x_train=x[:4], y_train=y[:4], x_test=x[4:] / 255.0, y_test=y[4:])
    loaded = load_images(resolve(str(tmp_path / "a.npz"), [], tmp_path), tmp_path)
    np.testing.assert_array_equal(loaded.images, x)
    assert loaded.parts.tolist() == ["train"] * 4 + ["test"] * 2
    assert loaded.class_names == ("0", "1")
