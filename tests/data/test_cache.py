"""The cache saves time, and never changes what is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import make_card, random_images, write_fer
from tuner.data.card import Card
from tuner.data.load import load_images


@pytest.fixture
def card(tmp_path: Path) -> Card:
    write_fer(tmp_path / "fer.csv", [0, 1, 0, 1])
    return make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"])


def entries(root: Path) -> list[Path]:
    return sorted((root / ".cache").iterdir())


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "parts.npy", "meta.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_damaged_entry_is_rebuilt(tmp_path: Path, card: Card, name: str, damage: str) -> None:
    load_images(card, tmp_path)
    path = entries(tmp_path)[0] / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-5])
    loaded = load_images(card, tmp_path)
    np.testing.assert_array_equal(loaded.images, random_images(4))
    assert isinstance(load_images(card, tmp_path).images, np.memmap)


def test_touched_source_replaces_the_old_entry(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    before = entries(tmp_path)
    os.utime(tmp_path / "fer.csv", ns=(1, 1))
    load_images(card, tmp_path)
    after = entries(tmp_path)
    assert len(before) == len(after) == 1
    assert before != after


def test_entries_of_other_data_sets_stay(tmp_path: Path, card: Card) -> None:
    load_images(card.model_copy(update={"name": "tiny-too"}), tmp_path)
    load_images(card, tmp_path)
    assert len(entries(tmp_path)) == 2


def test_change_of_the_cards_words_keeps_the_entry(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    before = entries(tmp_path)
    load_images(card.model_copy(update={"title": "Another", "description": "words"}), tmp_path)
    assert entries(tmp_path) == before


def test_change_of_the_class_names_is_noticed(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    renamed = card.model_copy(update={"class_names": ["nay", "yea"]})
    assert load_images(renamed, tmp_path).class_names == ("nay", "yea")


def test_unwritable_cache_is_done_without(tmp_path: Path, card: Card) -> None:
    (tmp_path / ".cache").write_text("a file where the folder should be")
    loaded = load_images(card, tmp_path)
    np.testing.assert_array_equal(loaded.images, random_images(4))
    assert not isinstance(loaded.images, np.memmap)


def test_nothing_half_written_is_left(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    assert [path.name for path in (tmp_path / ".cache").glob(".new-*")] == []
