"""Every mistake in the data ends in a message that says where, what and how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.formats.good_cards import GOOD, fer_card
from tests.data.samples import make_card, random_images, write_fer, write_folders
from tuner.data.cards.card import Card
from tuner.data.formats.class_folders import ClassFolders
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError, DataError

FerFile = Callable[..., Path]


def folder_card(**fields: object) -> Card:
    return make_card({"type": "class_folders", "path": "photos"}, channels=3, **fields)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f'0,"{GOOD} 7"', "fer.csv, line 3: it has 17 pixels; expected 16 (4 x 4)"),
        (f'0,"{GOOD[:-2]}"', "fer.csv, line 3: it has 15 pixels; expected 16 (4 x 4)"),
        ('0,""', "fer.csv, line 3: it has 0 pixels; expected 16 (4 x 4)"),
        (
            f'0,"abc {GOOD[2:]}"',
            'fer.csv, line 3: pixel 1 is "abc"; expected a whole number from 0 to 255',
        ),
        (
            f'0,"7 300 {GOOD[4:]}"',
            'fer.csv, line 3: pixel 2 is "300"; expected a whole number from 0 to 255',
        ),
        (
            f'0,"7 -1 {GOOD[4:]}"',
            'fer.csv, line 3: pixel 2 is "-1"; expected a whole number from 0 to 255',
        ),
        (
            f'0,"7 x7.5 {GOOD[4:]}"',
            'fer.csv, line 3: pixel 2 is "x7.5"; expected a whole number from 0 to 255',
        ),
        (f'9,"{GOOD}"', 'fer.csv, line 3: the label is "9"; expected 0 to 1'),
        (f'0,"{GOOD}",Training', "fer.csv, line 3: it has 3 columns; expected 2"),
    ],
)
def test_bad_row_of_a_csv_is_named_by_its_line(fer_file: FerFile, line: str, message: str) -> None:
    path = fer_file(line=3, text=line)
    with pytest.raises(DataError) as caught:
        load_images(fer_card(), path.parent)
    assert caught.value.message == message
    assert caught.value.hint
    assert caught.value.exit_code == 4


def test_missing_column_is_named(fer_file: FerFile) -> None:
    path = fer_file(line=1, text="emotion,picture")
    with pytest.raises(DataError) as caught:
        load_images(fer_card(), path.parent)
    assert caught.value.message == 'fer.csv: there is no column "pixels"; found emotion, picture'


def test_unknown_usage_is_named(tmp_path: Path) -> None:
    write_fer(tmp_path / "fer.csv", [0, 1], ["Training", "Public"])
    card = fer_card(splits={"train": "Training", "test": "PublicTest"})
    with pytest.raises(DataError) as caught:
        load_images(card, tmp_path)
    assert (
        caught.value.message
        == 'fer.csv, line 3: the part is "Public"; expected Training, PublicTest'
    )


def test_csv_of_one_class_is_refused(tmp_path: Path) -> None:
    write_fer(tmp_path / "fer.csv", [1, 1, 1])
    with pytest.raises(DataError) as caught:
        load_images(fer_card(), tmp_path)
    assert caught.value.message == 'tiny: all images are of one class, "yes"'


def test_binary_csv_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fer.csv").write_bytes(b"\xfe\x00\x81")
    with pytest.raises(
        DataError, match=r"^fer\.csv: cannot be read: it is not CSV text in UTF-8\n"
    ):
        load_images(fer_card(), tmp_path)


def test_empty_csv_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fer.csv").write_text("")
    with pytest.raises(DataError, match=r"^fer\.csv: the file is empty\n"):
        load_images(fer_card(), tmp_path)


def test_single_unreadable_files_are_skipped_counted_and_named(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (tmp_path / "photos/cat/0.jpg").write_text("no image")
    whole = (tmp_path / "photos/dog/0.png").read_bytes()
    (tmp_path / "photos/dog/cut.png").write_bytes(whole[: len(whole) - 30])
    (tmp_path / "photos/dog/.DS_Store").write_text("hidden")
    loaded = load_images(folder_card(), tmp_path)
    assert loaded.unreadable == ("cat/0.jpg: not an image", "dog/cut.png: damaged image")
    assert loaded.labels.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(loaded.images[3:], random_images(3, 4, 3, seed=1))


def test_dangling_link_is_skipped_and_named(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (tmp_path / "photos/cat/link.png").symlink_to(tmp_path / "gone.png")
    for _ in range(2):  # decoded, then from the cache
        loaded = load_images(folder_card(), tmp_path)
        assert loaded.unreadable == ("cat/link.png: No such file or directory",)
        assert loaded.labels.tolist() == [0, 0, 0, 1, 1, 1]
    Image.fromarray(random_images(1, 4, 3)[0]).save(tmp_path / "gone.png")
    assert load_images(folder_card(), tmp_path).unreadable == ()


def test_file_that_vanishes_after_the_listing_is_skipped_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    card = folder_card()
    assert isinstance(card.files, ClassFolders)
    listed = card.files._listed(card, tmp_path)
    monkeypatch.setattr(ClassFolders, "_listed", lambda self, card, data_root: listed)
    (tmp_path / "photos/cat/1.png").unlink()
    loaded = load_images(folder_card(), tmp_path)
    assert loaded.unreadable == ("cat/1.png: No such file or directory",)
    assert loaded.labels.tolist() == [0, 0, 1, 1, 1]


def test_class_without_a_readable_image_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 0})
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "photos/dog" / name).write_text("no image")
    with pytest.raises(DataError) as caught:
        load_images(folder_card(), tmp_path)
    assert (
        caught.value.message
        == 'tiny: none of the 2 files of class "dog" can be read as an image: not an image (2)'
    )


def test_empty_class_folder_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 0})
    with pytest.raises(DataError) as caught:
        load_images(folder_card(), tmp_path)
    assert caught.value.message == 'tiny: the folder of class "dog" is empty'


def test_one_class_folder_is_refused(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3})
    with pytest.raises(DataError) as caught:
        load_images(folder_card(), tmp_path)
    assert caught.value.message == 'tiny: all images are of one class, "cat"'


def test_folder_that_is_no_class_of_the_card_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 1, "dog": 1, "fish": 1})
    with pytest.raises(DataError) as caught:
        load_images(folder_card(class_names=["cat", "dog"]), tmp_path)
    assert (
        caught.value.message == 'tiny: the folder "fish" is no class of the card; expected cat, dog'
    )


def test_class_of_the_card_without_a_folder_is_named(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 1, "dog": 1})
    with pytest.raises(DataError, match=r'^tiny: there is no folder for class "fish" in '):
        load_images(folder_card(class_names=["cat", "dog", "fish"]), tmp_path)


def test_hostile_file_names_are_read_and_shown(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 1, "dog": 1})
    picture = Image.fromarray(random_images(1, 4, 3)[0])
    for name in ("a\nb.png", "$(x);'\".png", "umläut 🙂.png", "\x1b[31m.png"):
        picture.save(tmp_path / "photos/cat" / name)
    (tmp_path / "photos/dog/\udcff\n.txt").write_text("no image")
    (tmp_path / "photos/dog/\udcff\n.jpg").write_text("no image")
    for _ in range(2):  # decoded, then from the cache
        loaded = load_images(folder_card(), tmp_path)
        assert r"cat/a\x0ab.png" in loaded.origins
        assert r"cat/\x1b[31m.png" in loaded.origins
        assert loaded.unreadable == (r"dog/\udcff\x0a.jpg: not an image",)
        assert loaded.left_out[0].names == (r"dog/\udcff\x0a.txt",)


def test_rows_without_labels_are_counted(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"{GOOD}\n{GOOD}\n".replace(" ", ","))
    (tmp_path / "y.csv").write_text("0\n")
    card = make_card({"type": "array_csv", "train_images": "x.csv", "train_labels": "y.csv"})
    with pytest.raises(DataError) as caught:
        load_images(card, tmp_path)
    assert caught.value.message == "x.csv has 2 rows, but y.csv has 1"


def test_generator_and_card_must_agree(tmp_path: Path) -> None:
    names = [str(digit) for digit in range(10)]
    card = make_card({"type": "generator", "generator": "digits"}, size=16, class_names=names)
    with pytest.raises(ConfigurationError) as caught:
        load_images(card, tmp_path)
    message = "tiny: digits makes 8 x 8 x 1 images in 10 classes, but the card says otherwise"
    assert caught.value.message == message


def test_labels_with_line_breaks_are_shown_on_one_line_and_stay_two_classes(tmp_path: Path) -> None:
    rows = [f"{label},0 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6" for label in ('"a\nb"', "a\\x0ab")]
    (tmp_path / "x.csv").write_text(
        "\n".join(["label,pixels", *rows, rows[0], ""]), encoding="utf-8"
    )
    loaded = load_images(resolve(str(tmp_path / "x.csv"), [], tmp_path), tmp_path)
    assert set(loaded.class_names) == {"a\\x0ab", "a\\\\x0ab"}
