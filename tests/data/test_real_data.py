"""The five real sets hold what is known of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.data.card import load_card
from tuner.data.dataset import load_dataset, summary
from tuner.space.definition import SplitSettings

CARDS = Path(__file__).parents[2] / "datasets"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of links to the sets, so that the cache is written beside them and not into them."""
    root = tmp_path_factory.mktemp("real")
    for folder in Path(os.environ["TUNER_TEST_DATA"]).iterdir():
        if not folder.name.startswith("."):
            (root / folder.name).symlink_to(folder.resolve(), target_is_directory=True)
    return root


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "n_train", "n_validation", "n_test"),
    [
        ("fer2013", 25837, 2872, 3589),
        ("facial_expressions", 25865, 2844, 3589),
        ("happy_sad", None, None, None),
        ("emoji_happy_sad", 51, 13, 16),
        ("cats_dogs", 1800, 200, 400),
    ],
)
def test_counts(data_root: Path, name: str, n_train: int | None, n_validation: int | None, n_test: int | None) -> None:
    found = summary(load_dataset(load_card(name, [CARDS]), data_root, SplitSettings(seed=1)))
    total = found.n_train + found.n_validation + found.n_test + found.n_unreadable
    known = {"fer2013": 32298, "facial_expressions": 32298, "happy_sad": 217, "emoji_happy_sad": 80, "cats_dogs": 2400}
    assert total == known[name]
    if n_train is not None:
        assert (found.n_train, found.n_validation, found.n_test) == (n_train, n_validation, n_test)


@pytest.mark.real_data
def test_disgust_is_the_rarest_expression(data_root: Path) -> None:
    found = summary(load_dataset(load_card("fer2013", [CARDS]), data_root, SplitSettings(seed=1)))
    assert sum(found.train_counts) + sum(found.validation_counts) == 28709
    assert found.class_names[found.test_counts.index(min(found.test_counts))] == "disgust"
    assert found.test_counts[1] / found.n_test == pytest.approx(0.0156, abs=0.001)
