"""Array CSVs whose values are fractions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import make_card
from tuner.data.load import load_images
from tuner.errors import DataError

WHOLE = ",".join(["0", "255"] * 8)
FILES = {
    "type": "array_csv",
    "train_images": "x.csv", "train_labels": "y.csv",
    "test_images": "tx.csv", "test_labels": "ty.csv",
}  # fmt: skip


def write(folder: Path, train: str, test: str) -> None:
    (folder / "x.csv").write_text(f"{train}\n{train}\n")
    (folder / "y.csv").write_text("0\n1\n")
    (folder / "tx.csv").write_text(f"{test}\n{test}\n")
    (folder / "ty.csv").write_text("0\n1\n")


def test_one_fraction_anywhere_puts_all_images_on_one_scale(tmp_path: Path) -> None:
    write(tmp_path, ",".join(["0", "1"] * 8), ",".join(["0.5"] * 16))
    loaded = load_images(make_card(FILES), tmp_path)
    assert loaded.value_range == (0.0, 1.0)
    assert [np.unique(image).tolist() for image in loaded.images] == [[0, 255]] * 2 + [[128]] * 2


def test_whole_numbers_with_a_point_stay_what_they_are(tmp_path: Path) -> None:
    write(tmp_path, WHOLE, ",".join(["254.0"] * 16))
    loaded = load_images(make_card(FILES), tmp_path)
    assert loaded.value_range is None
    assert [np.unique(image).tolist() for image in loaded.images] == [[0, 255]] * 2 + [[254]] * 2


def test_range_of_the_card_is_kept_to(tmp_path: Path) -> None:
    write(tmp_path, WHOLE, ",".join(["510"] * 16))
    card = make_card(FILES)
    stated = card.model_copy(
        update={"image": card.image.model_copy(update={"value_range": [0.0, 510.0]})}
    )
    loaded = load_images(stated, tmp_path)
    assert loaded.value_range == (0.0, 510.0)
    assert [np.unique(image).tolist() for image in loaded.images] == [[0, 128]] * 2 + [[255]] * 2


def test_numbers_too_large_for_pixels_are_told_with_their_range(tmp_path: Path) -> None:
    write(tmp_path, WHOLE, ",".join(["0.5", "1e35"] * 8))
    with pytest.raises(DataError) as caught:
        load_images(make_card(FILES), tmp_path)
    message = "x.csv: the values reach from 0 to 1e+35; expected pixels"
    assert caught.value.message == message
