"""Names and paths of a card: which are refused, and with which line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.cards.written_card import CARD
from tuner.data.cards.card_files import read_card
from tuner.data.load import load_images
from tuner.errors import ConfigurationError

STRANGERS_CARD = """\
name: mine
title: Mine
files: {type: class_folders, path: mine}
image: {height: 8, width: 8, channels: 1}
splits: {train: train, test: test}
fetch: get it
kaggle: {dataset: me/mine, archive: mine.zip, files: {mine: mine}}
"""


LEAVING = {
    ("path: mine}", "path: ../mine}"): "files.path",
    ("path: mine}", "path: /etc}"): "files.path",
    ("path: mine}", "path: a/../../b}"): "files.path",
    ("path: mine}", "path: ~/b}"): "files.path",
    ("path: mine}", 'path: "..\\\\b"}'): "files.path",
    ("path: mine}", "path: 'C:/b'}"): "files.path",
    ("path: mine}", 'path: ""}'): "files.path",
    ("train: train", "train: ../train"): "splits.train",
    ("archive: mine.zip", "archive: ../mine.zip"): "kaggle.archive",
    ("files: {mine: mine}", "files: {mine: /etc}"): "kaggle.files.mine",
}


@pytest.mark.parametrize("change", LEAVING)
def test_path_that_leaves_the_data_root_is_refused_with_its_line(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    before, after = change
    (tmp_path / "mine.yaml").write_text(STRANGERS_CARD, encoding="utf-8")
    assert read_card(tmp_path / "mine.yaml").paths == ["mine"]
    text = STRANGERS_CARD.replace(before, after)
    if "files: {type" in text and LEAVING[change] == "files.path":
        text = text.replace("kaggle:", "# kaggle:")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_card(tmp_path / "mine.yaml")
    assert f": {LEAVING[change]} is " in caught.value.message
    assert caught.value.message.endswith("; expected a path below the data root.")


@pytest.mark.parametrize("name", ["/mine", "a:b", "../x"])
def test_names_of_arrays_are_no_paths(tmp_path: Path, name: str) -> None:
    named = f"path: mine.npz, train_images: '{name}', train_labels: '{name}.y'"
    (tmp_path / "mine.yaml").write_text(CARD.replace("path: mine.npz", named), encoding="utf-8")
    assert read_card(tmp_path / "mine.yaml").paths == ["mine.npz"]


@pytest.mark.parametrize("key", ["train_images", "train_labels", "test_images", "test_labels"])
def test_no_file_of_array_csvs_leaves_the_data_root(tmp_path: Path, key: str) -> None:
    files = "type: array_csv, train_images: a, train_labels: b, test_images: c, test_labels: d"
    text = CARD.replace("type: npz, path: mine.npz", files.replace(f"{key}: ", f"{key}: ../"))
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f":3: files.{key} is "):
        read_card(tmp_path / "mine.yaml")


def test_link_that_you_have_put_into_the_data_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "elsewhere.npz", x=np.zeros((8, 4, 4), np.uint8), y=np.arange(8) % 2)
    (tmp_path / "data/mine.npz").symlink_to(tmp_path / "elsewhere.npz")
    (tmp_path / "mine.yaml").write_text(CARD, encoding="utf-8")
    assert len(load_images(read_card(tmp_path / "mine.yaml"), tmp_path / "data").labels) == 8


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "fetch: get it",
            "space: ../other",
            'space is "../other"; expected the name of a search space, without',
        ),
        ("me/mine", "../me/mine", 'kaggle.dataset is "../me/mine"; expected'),
        (
            "name: mine",
            "name: Mine",
            'name is "Mine"; expected lower-case letters, digits, "_" and "-".',
        ),
    ],
)
def test_name_that_is_none_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    (tmp_path / "mine.yaml").write_text(STRANGERS_CARD.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_card(tmp_path / "mine.yaml")
    assert message in caught.value.message


def test_title_is_one_line(tmp_path: Path) -> None:
    text = STRANGERS_CARD.replace("title: Mine", 'title: "a\\n b: \\e[2J"')
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert read_card(tmp_path / "mine.yaml").title == r"a b: \x1b[2J"


def test_name_may_be_of_any_script(tmp_path: Path) -> None:
    (tmp_path / "фото.yaml").write_text(
        STRANGERS_CARD.replace("name: mine", "name: фото"), encoding="utf-8"
    )
    assert read_card(tmp_path / "фото.yaml").name == "фото"
