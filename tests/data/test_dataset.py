"""A data set as a run sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.samples import make_card, random_images, write_folders
from tuner.data import dataset as datasets
from tuner.data.cards.card import Card
from tuner.data.dataset import (
    Dataset,
    SealedLabels,
    load_dataset,
    pixel_statistics,
    split_rows,
    summary,
)
from tuner.data.images import Images, make_images
from tuner.data.splits.split import make_split
from tuner.errors import DataError
from tuner.records.image import ImageSpec
from tuner.space.split_settings import SplitSettings


def test_statistics_are_those_of_the_training_part(tmp_path: Path) -> None:
    x = random_images(100, channels=3)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(100) % 2)
    dataset = load_dataset(
        make_card({"type": "npz", "path": "a.npz"}, channels=3), tmp_path, SplitSettings(seed=1)
    )
    train = x[dataset.split.train].reshape(-1, 3).astype(np.float64)
    assert dataset.spec.mean == pytest.approx(train.mean(axis=0))
    assert dataset.spec.std == pytest.approx(train.std(axis=0))
    assert dataset.spec.shape == (4, 4, 3)


def test_statistics_of_white_images_do_not_overflow() -> None:
    mean, std = pixel_statistics(np.full((1100, 8, 8, 1), 255, dtype=np.uint8), np.arange(1100))
    assert (mean, std) == ((255.0,), (0.0,))


@pytest.mark.parametrize("chunk_bytes", [1, 100, 10**6])
def test_statistics_are_the_same_in_chunks_of_any_size(
    monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(datasets, "_CHUNK_BYTES", chunk_bytes)
    images, rows = random_images(20, channels=3), np.arange(3, 18)
    pixels = images[rows].reshape(-1, 3).astype(np.float64)
    mean, std = pixel_statistics(images, rows)
    assert mean == pytest.approx(pixels.mean(axis=0))
    assert std == pytest.approx(pixels.std(axis=0))


def test_summary_counts_every_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=random_images(100), y=np.arange(100) % 2)
    dataset = load_dataset(
        make_card({"type": "npz", "path": "a.npz"}), tmp_path, SplitSettings(seed=1, limit=40)
    )
    found = summary(dataset)
    assert (found.n_train, found.n_validation, found.n_test) == (32, 8, 20)
    assert found.train_counts == (16, 16)
    assert (found.n_folds, found.n_test_distinct, found.is_official_split) == (5, 20, False)
    assert (found.name, found.title, found.limit, found.n_unreadable) == ("tiny", "Tiny", 40, 0)
    assert found.fingerprint == dataset.images.fingerprint


def test_summary_counts_what_was_left_out(tmp_path: Path) -> None:
    x, y = random_images(600), np.arange(600) % 2
    x[500], x[501], x[502] = x[0], x[0], x[2]
    parts = {"train": slice(0, 500), "test": slice(500, 600)}
    arrays = {
        f"{kind}_{part}": data[rows]
        for kind, data in (("x", x), ("y", y))
        for part, rows in parts.items()
    }
    np.savez(tmp_path / "a.npz", **arrays)
    found = summary(
        load_dataset(make_card({"type": "npz", "path": "a.npz"}), tmp_path, SplitSettings(seed=1))
    )
    assert (found.n_dropped_conflicting, found.n_dropped_copies, found.n_dropped_duplicates) == (
        1,
        1,
        0,
    )
    assert (found.n_train + found.n_validation, found.n_test, found.n_test_distinct) == (
        498,
        100,
        97,
    )
    assert (found.n_folds, found.is_official_split) == (1, True)


def test_policy_may_refuse_unreadable_images(tmp_path: Path) -> None:
    write_folders(tmp_path / "a", {"no": 10, "yes": 10})
    for number in range(4):
        (tmp_path / "a" / "yes" / f"bad{number}.png").write_bytes(b"not an image")
    fields = {"type": "class_folders", "path": "a"}
    card = make_card(fields, channels=3, policies={"unreadable": "fail"})
    with pytest.raises(DataError) as caught:
        load_dataset(card, tmp_path, SplitSettings(seed=1))
    message = caught.value.message
    assert message.startswith("tiny: 4 of the images cannot be read: yes/bad0.png: ")
    assert "yes/bad2.png" in message
    assert "yes/bad3.png" not in message
    assert (
        caught.value.hint
        == "replace or delete them, or set policies.unreadable to skip in the card."
    )
    assert (
        summary(
            load_dataset(make_card(fields, channels=3), tmp_path, SplitSettings(seed=1))
        ).n_unreadable
        == 4
    )


def dataset_of(images: Images, card: Card, **settings: Any) -> Dataset:
    split = make_split(images, SplitSettings(seed=1, **settings), card.splits, card.policies)
    spec = ImageSpec(
        height=4, width=4, channels=1, class_names=images.class_names, mean=(0.0,), std=(1.0,)
    )
    return Dataset(
        images=images,
        split=split,
        spec=spec,
        card=card,
        limit=None,
        test_labels=SealedLabels(images.labels[split.test]),
    )


def images_of(n: int, groups: list[str] | None = None, conflict: bool = False) -> Images:
    pixels = random_images(n)
    if conflict:
        pixels[1] = pixels[0]
    return make_images(
        name="tiny",
        images=pixels,
        labels=np.arange(n) % 2,
        parts=[""] * n,
        origins=[f"row {i}" for i in range(n)],
        class_names=["no", "yes"],
        groups=groups or (),
    )


def test_rows_of_a_split_name_every_image() -> None:
    dataset = dataset_of(
        images_of(600, conflict=True), make_card({"type": "npz", "path": "a.npz"}), limit=100
    )
    rows = list(split_rows(dataset))
    assert [row[0] for row in rows] == [f"row {i}" for i in range(600)]
    assert rows[0] == ("row 0", "no", "dropped", "near-identical 0", "conflicting label", "")
    assert rows[1] == ("row 1", "yes", "dropped", "near-identical 0", "conflicting label", "")
    for part, indices in (("train", dataset.split.train), ("validation", dataset.split.validation)):
        assert [i for i, row in enumerate(rows) if row[2] == part] == indices.tolist()
    assert [row[2] for row in rows].count("unused") == 598 - 100 - len(dataset.split.test)
    assert {row[3:] for row in rows[2:]} == {("", "", "")}


def test_rows_of_folds_name_the_fold_that_each_image_validates_in() -> None:
    groups = [f"person {i // 4}" for i in range(80)]
    dataset = dataset_of(images_of(80, groups), make_card({"type": "npz", "path": "a.npz"}))
    rows = list(split_rows(dataset))
    assert {row[2] for row in rows} == {"test", *(f"fold {number}" for number in range(1, 6))}
    assert [i for i, row in enumerate(rows) if row[2] == "fold 2"] == dataset.split.folds[
        1
    ].validation.tolist()
    assert [row[3] for row in rows] == groups
    assert len({row[2:4] for row in rows}) == 20
    for row in rows:
        assert row[5] == (
            ""
            if row[2] == "test"
            else " ".join(number for number in "12345" if row[2][-1] != number)
        )


def test_rows_of_limited_folds_name_those_that_each_image_trains_in() -> None:
    dataset = dataset_of(images_of(200), make_card({"type": "npz", "path": "a.npz"}), limit=50)
    rows = list(split_rows(dataset))
    for number, fold in enumerate(dataset.split.folds, start=1):
        assert [
            i for i, row in enumerate(rows) if str(number) in row[5].split()
        ] == fold.train.tolist()
    assert {row[5] for row in rows if row[2] in ("test", "unused")} == {""}
