"""The five real sets hold what is known of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.data.cards.card_files import load_card
from tuner.data.dataset import load_dataset, split_rows, summary
from tuner.data.load import load_images
from tuner.data.splits.policies import has_conflict
from tuner.space.split_settings import SplitSettings
from tuner.store.run_folder import RunFolder

pytestmark = pytest.mark.slow

_IN_BOTH = "ADea4I4CgV4-hlxUOAdFjyNYonWRHO6Pu4jWXKk9BJScXws64-c-mo.jpg"
_SAME_PHOTO = [
    ("happy/image21.jpeg", "happy/getty_478389113_970647970450091_99776.jpg"),
    ("sad/image16.jpeg", "sad/b2ap3_large_happy-sad-unsplash-850x575.jpg"),
    ("sad/image8.jpeg", "sad/images21.jpg"),
]

CARDS = Path(__file__).parents[2] / "datasets"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "n_train", "n_validation", "n_test"),
    [
        ("fer2013", 25447, 2828, 3589),
        ("facial_expressions", 25447, 2828, 3589),
        ("happy_sad", 137, 35, 43),
        ("emoji_happy_sad", 32, 32, 16),
        ("cats_dogs", 1800, 200, 400),
    ],
)
def test_counts(real_data: Path, name: str, n_train: int, n_validation: int, n_test: int) -> None:
    found = summary(load_dataset(load_card(name, [CARDS]), real_data, SplitSettings(seed=1)))
    known = {
        "fer2013": 32298,
        "facial_expressions": 32298,
        "happy_sad": 217,
        "emoji_happy_sad": 80,
        "cats_dogs": 2400,
    }
    dropped = found.n_dropped_conflicting + found.n_dropped_copies + found.n_dropped_duplicates
    assert (
        found.n_train + found.n_validation + found.n_test + found.n_unreadable + dropped
        == known[name]
    )
    assert abs(found.n_train - n_train) <= 2
    assert abs(found.n_validation - n_validation) <= 2
    assert found.n_test == n_test


@pytest.mark.real_data
def test_disgust_is_the_rarest_expression(real_data: Path) -> None:
    found = summary(load_dataset(load_card("fer2013", [CARDS]), real_data, SplitSettings(seed=1)))
    n_dropped = found.n_dropped_copies + found.n_dropped_conflicting
    assert sum(found.train_counts) + sum(found.validation_counts) + n_dropped == 28709
    assert found.class_names[found.test_counts.index(min(found.test_counts))] == "disgust"
    assert found.test_counts[1] / found.n_test == pytest.approx(0.0156, abs=0.001)


@pytest.mark.real_data
def test_copies_in_fer2013_are_known(real_data: Path) -> None:
    images = load_images(load_card("fer2013", [CARDS]), real_data)
    trains = images.parts == "train"
    assert len(np.unique(images.copy_of[trains])) == 27473
    assert np.isin(images.copy_of[~trains], images.copy_of[trains]).sum() == 280
    conflict = has_conflict(images)
    assert (len(np.unique(images.copy_of[conflict])), conflict.sum()) == (47, 129)


@pytest.mark.real_data
def test_test_part_of_fer2013_stays_whole_and_no_copy_of_it_is_trained_on(real_data: Path) -> None:
    dataset = load_dataset(load_card("fer2013", [CARDS]), real_data, SplitSettings(seed=1))
    images, split, found = dataset.images, dataset.split, summary(dataset)
    assert split.is_official
    assert (len(split.test), found.n_test_distinct) == (3589, 3292)
    assert (found.n_dropped_copies, found.n_dropped_conflicting, found.n_dropped_duplicates) == (
        320,
        114,
        0,
    )
    seen = np.concatenate([split.train, split.validation])
    assert not np.isin(images.copy_of[split.test], images.copy_of[seen]).any()
    assert not np.isin(images.near_group[split.validation], images.near_group[split.train]).any()


@pytest.mark.real_data
def test_near_copies_in_fer2013_are_some_and_not_all(real_data: Path) -> None:
    images = load_images(load_card("fer2013", [CARDS]), real_data)
    _, sizes = np.unique(images.near_group, return_counts=True)
    assert 1600 < np.count_nonzero(sizes > 1) < 1800
    assert sizes.max() == 20  # one photo of a baby, in 12 versions


@pytest.mark.real_data
@pytest.mark.parametrize("seed", range(5))
def test_no_copy_of_a_test_photo_trains_or_validates(real_data: Path, seed: int) -> None:
    dataset = load_dataset(load_card("happy_sad", [CARDS]), real_data, SplitSettings(seed=seed))
    rows = list(split_rows(dataset))
    assert len({row[3] for row in rows if row[3]}) == 39
    parts: dict[str, set[str]] = {}
    for _, _, part, group, *_ in rows:
        parts.setdefault(part, set()).update({group} - {""})
    names = [f"fold {number}" for number in range(1, 6)]
    assert set(parts) == {"test", "dropped", *names}
    assert sum(len(parts[name]) for name in ("test", "dropped", *names)) == 39
    assert [row[0] for row in rows if row[4]] == [
        f"{folder}/{_IN_BOTH}" for folder in ("happy", "sad")
    ]
    by_name = {row[0]: (row[2], row[3]) for row in rows}
    for one, other in _SAME_PHOTO:
        assert by_name[one] == by_name[other]


def thumbnail(path: Path) -> np.ndarray:
    """8 x 8 grey values, by other means than the package's own."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").convert("L").resize((8, 8)), dtype=float)


@pytest.mark.real_data
def test_saved_split_of_happy_sad_trains_on_no_file_that_shows_a_test_photo(
    real_data: Path, tmp_path: Path
) -> None:
    """From split.csv and the files: neither equal bytes, nor the same photo at another size."""
    dataset = load_dataset(load_card("happy_sad", [CARDS]), real_data, SplitSettings(seed=0))
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_split(split_rows(dataset))
    with (folder.path / "split.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    photos = real_data / "happy_sad"
    part_of = {row["image"]: row["part"] for row in rows}
    test = [name for name, part in part_of.items() if part == "test"]
    seen = [name for name, part in part_of.items() if part.startswith("fold")]
    assert (len(test), len(seen)) == (43, 172)
    assert not {(photos / n).read_bytes() for n in test} & {(photos / n).read_bytes() for n in seen}
    small = np.stack([thumbnail(photos / name) for name in [*test, *seen]])
    distance = np.abs(small[: len(test), None] - small[None, len(test) :]).mean(axis=(2, 3))
    # Two sizes of one photo differ by at most 1.4 grey values here, other pairs by far more.
    assert distance.min() > 6


@pytest.mark.real_data
def test_series_of_emoji_are_the_folds(real_data: Path) -> None:
    dataset = load_dataset(load_card("emoji_happy_sad", [CARDS]), real_data, SplitSettings(seed=1))
    groups, split = dataset.images.groups, dataset.split
    assert sorted(set(groups.tolist())) == ["happy1", "happy2", "sad1", "sad2"]
    assert np.unique(groups[split.test], return_counts=True)[1].tolist() == [4, 4, 4, 4]
    assert len(split.folds) == 2
    for fold in split.folds:
        assert not set(groups[fold.train].tolist()) & set(groups[fold.validation].tolist())
