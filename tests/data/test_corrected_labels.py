"""Corrected labels replace those of the data, and move nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import make_card, random_images
from tuner.data.dataset import Dataset, load_dataset, summary
from tuner.errors import DataError
from tuner.space.split_settings import SplitSettings
from tuner.store.label_table import DoubtfulLabel, write_label_table


@pytest.fixture
def given(tmp_path: Path) -> Dataset:
    """A hundred images of two classes, split with a limit that takes by class."""
    np.savez(tmp_path / "a.npz", x=random_images(100), y=np.array(["no", "yes"] * 50))
    return load(tmp_path)


def load(root: Path, corrections: Path | None = None) -> Dataset:
    card = make_card({"type": "npz", "path": "a.npz"}, class_names=None)
    return load_dataset(card, root, SplitSettings(seed=1, limit=40), corrections)


def write(root: Path, *lines: str) -> Path:
    path = root / "corrected.csv"
    path.write_text("\n".join(("image,given,label", *lines)), encoding="utf-8")
    return path


def name(dataset: Dataset, row: int) -> str:
    return dataset.images.class_names[dataset.images.labels[row]]


def other(dataset: Dataset, row: int) -> str:
    return {"no": "yes", "yes": "no"}[name(dataset, row)]


def line(dataset: Dataset, row: int) -> str:
    return f"{dataset.images.origins[row]},{name(dataset, row)},{other(dataset, row)}"


def test_labels_change_and_no_image_moves(given: Dataset, tmp_path: Path) -> None:
    rows = [int(given.split.train[0]), int(given.split.validation[0]), int(given.split.test[0])]
    found = load(tmp_path, write(tmp_path, *(line(given, row) for row in rows)))
    changed = np.flatnonzero(found.images.labels != given.images.labels)
    assert changed.tolist() == sorted(rows)
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(found.split, part), getattr(given.split, part))
    assert found.corrections
    assert (found.corrections.n, found.corrections.n_test) == (3, 1)
    told = summary(found.sealed())
    assert (told.n_corrected, told.n_test_corrected) == (3, 1)
    changes = found.corrections.labels
    assert [(one.row, one.given, one.label) for one in changes] == [
        (row, name(given, row), other(given, row)) for row in sorted(rows)
    ]
    # What is sealed shows no label of a test image, not even a corrected one.
    hidden = found.sealed().corrections
    assert hidden
    assert [one.row for one in hidden.labels] == sorted(rows[:2])
    sealed = found.test_labels.break_seal()
    assert sealed[0] != given.test_labels.break_seal()[0]


def test_fingerprint_changes_with_the_labels_but_not_that_of_the_pixels(
    given: Dataset, tmp_path: Path
) -> None:
    found = load(tmp_path, write(tmp_path, line(given, 0)))
    assert found.images.fingerprint != given.images.fingerprint
    assert found.pixels_fingerprint == given.pixels_fingerprint == given.images.fingerprint
    unchanged = write(tmp_path, f"{given.images.origins[0]},{name(given, 0)},{name(given, 0)}")
    assert load(tmp_path, unchanged).images.fingerprint == given.images.fingerprint


def test_a_list_that_was_written_is_read_back(tmp_path: Path) -> None:
    x, y = random_images(40), ["=1+1", "yes"] * 20
    np.savez(tmp_path / "a.npz", x=x, y=np.array(y))
    before = load_dataset(
        make_card({"type": "npz", "path": "a.npz"}, class_names=None),
        tmp_path,
        SplitSettings(seed=1),
    )
    row = int(np.flatnonzero(before.images.labels == before.images.class_names.index("=1+1"))[0])
    doubtful = DoubtfulLabel(
        image=before.images.origins[row],
        part="train",
        given="=1+1",
        label="=1+1",
        suggested="yes",
        margin=-0.5,
        probabilities=(0.2, 0.7),
    )
    path = tmp_path / "list.csv"
    write_label_table([doubtful], ["=1+1", "yes"], path)
    text = path.read_text(encoding="utf-8")
    assert "'=1+1,yes,'=1+1,-0.5000,0.2000,0.7000" in text
    path.write_text(text.replace("yes,'=1+1", "yes,yes"), encoding="utf-8")
    found = load_dataset(before.card, tmp_path, SplitSettings(seed=1), path)
    assert found.images.class_names[found.images.labels[row]] == "yes"
    assert found.corrections
    assert found.corrections.n == 1


def test_wrong_lists_are_refused_with_line_and_remedy(given: Dataset, tmp_path: Path) -> None:
    image, label = given.images.origins[0], name(given, 0)
    wrong = {
        ("nothing,no,yes",): 'corrected.csv:2: the data have no image "nothing"',
        (f"{image},{label},nope",): 'corrected.csv:2: no class is called "nope"',
        (f"{image},{label},",): "corrected.csv:2: the label is empty",
        (f"{image},{other(given, 0)},{label}",): "but the data label it",
        (f"{image},{label},no", f"{image},{label},yes"): "is named in line 2 too",
    }
    for lines, message in wrong.items():
        with pytest.raises(DataError) as caught:
            load(tmp_path, write(tmp_path, *lines))
        assert message in caught.value.message
        assert caught.value.hint


def test_a_near_miss_is_named(given: Dataset, tmp_path: Path) -> None:
    image, label = given.images.origins[0], name(given, 0)
    with pytest.raises(DataError, match='no class is called "yess"') as caught:
        load(tmp_path, write(tmp_path, f"{image},{label},yess"))
    assert 'did you mean "yes"?' in caught.value.hint


def test_a_list_without_the_columns_or_the_file_is_refused(given: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("file,class\na,no\n", encoding="utf-8")
    with pytest.raises(DataError, match="expected one column image, found file, class"):
        load(tmp_path, path)
    with pytest.raises(DataError, match="no such list of labels"):
        load(tmp_path, tmp_path / "lost.csv")


def test_a_class_without_training_images_is_refused(given: Dataset, tmp_path: Path) -> None:
    labels = given.images.labels
    lines = [line(given, row) for row in given.split.train.tolist() if labels[row] == 0]
    with pytest.raises(DataError, match='class "no" has no training image left'):
        load(tmp_path, write(tmp_path, *lines))
