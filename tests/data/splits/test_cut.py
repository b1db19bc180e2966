"""Cuts take whole units, come near to their shares, and leave each class on both sides."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.data.splits.cut import cut, cut_folds, quotas, sample


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Class and unit of each image: units of 1 to 6 images, at least four of each class."""
    n_classes = draw(st.integers(2, 4))
    sizes = [draw(st.lists(st.integers(1, 6), min_size=4, max_size=25)) for _ in range(n_classes)]
    labels = np.concatenate([np.full(sum(found), number) for number, found in enumerate(sizes)])
    units = np.repeat(np.arange(sum(map(len, sizes))), [size for found in sizes for size in found])
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(labels))
    return labels[order], units[order]


def is_whole(units: np.ndarray, chosen: np.ndarray) -> bool:
    return not set(units[chosen]) & set(units[~chosen])


@settings(deadline=None, max_examples=60, derandomize=True)
@given(data_sets(), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 5), st.integers(1, 2))
def test_cut_takes_whole_units_of_every_class(
    data: tuple[np.ndarray, np.ndarray], fraction: float, seed: int, n_left: int
) -> None:
    labels, units = data
    chosen = cut(labels, units, fraction, seed=(seed, 0), n_left=n_left)
    assert is_whole(units, chosen)
    for number in np.unique(labels):
        of_class = labels == number
        assert chosen[of_class].any()
        assert len(np.unique(units[of_class & ~chosen])) >= n_left
        # Nearer than one unit of the largest size, but for what must be left.
        if len(np.unique(units[of_class & ~chosen])) > n_left:
            assert abs(chosen[of_class].sum() - fraction * of_class.sum()) <= 6
    assert chosen.tolist() == cut(labels, units, fraction, seed=(seed, 0), n_left=n_left).tolist()


@settings(deadline=None, max_examples=60, derandomize=True)
@given(data_sets(), st.integers(2, 4), st.integers(0, 5))
def test_folds_take_whole_units_of_every_class(
    data: tuple[np.ndarray, np.ndarray], n_folds: int, seed: int
) -> None:
    labels, units = data
    fold_of = cut_folds(labels, units, n_folds, seed=(seed, 1))
    for fold in range(n_folds):
        assert is_whole(units, fold_of == fold)
        assert set(labels[fold_of == fold]) == set(labels)
    for number in np.unique(labels):
        assert np.ptp(np.bincount(fold_of[labels == number], minlength=n_folds)) <= 6


def test_units_of_one_image_give_exact_shares() -> None:
    labels = np.repeat([0, 1, 2], [300, 90, 10])
    chosen = cut(labels, np.arange(400), 0.1, seed=(1, 0), n_left=1)
    assert np.bincount(labels[chosen]).tolist() == [30, 9, 1]
    fold_of = cut_folds(labels, np.arange(400), 5, seed=(1, 1))
    assert [np.bincount(labels[fold_of == fold]).tolist() for fold in range(5)] == [[60, 18, 2]] * 5


def test_rare_class_has_an_image_in_the_cut() -> None:
    labels = np.repeat([0, 1], [997, 3])
    chosen = cut(labels, np.arange(1000), 0.1, seed=(1, 0), n_left=2)
    assert np.bincount(labels[chosen]).tolist() == [99, 1]


def test_class_of_large_units_gives_one_of_them() -> None:
    labels, units = np.repeat([0, 1], [40, 36]), np.r_[np.arange(40), np.repeat([40, 41, 42], 12)]
    chosen = cut(labels, units, 0.1, seed=(1, 0), n_left=2)
    assert np.bincount(labels[chosen]).tolist() == [4, 12]


def test_units_of_several_classes_stay_whole() -> None:
    labels, units = np.tile([0, 1, 2], 30), np.repeat(np.arange(15), 6)
    chosen = cut(labels, units, 0.2, seed=(1, 0), n_left=1)
    assert is_whole(units, chosen)
    assert np.bincount(labels[chosen]).tolist() == [6, 6, 6]


def test_many_units_and_classes_take_little_memory() -> None:
    labels = np.random.RandomState(0).permutation(np.arange(50_000) % 1000)
    tracemalloc.start()
    try:
        chosen = cut(labels, np.arange(50_000), 0.1, seed=(1, 0), n_left=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.bincount(labels[chosen]).tolist() == [5] * 1000
    # A table of units and classes would take 400 MB.
    assert peak < 40e6


def test_strata_give_their_shares() -> None:
    labels, strata = np.repeat([0, 1], 100), np.tile([0, 0, 0, 1], 50)
    chosen = cut(labels, np.arange(200), 0.2, seed=(3, 0), n_left=1, strata=strata)
    for number in (0, 1):
        assert np.bincount(strata[chosen & (labels == number)]).tolist() == [15, 5]


def test_other_seeds_cut_otherwise() -> None:
    labels = np.tile([0, 1], 50)
    first, other = (cut(labels, np.arange(100), 0.2, seed=(seed, 0), n_left=1) for seed in (1, 2))
    assert first.tolist() != other.tolist()
    big = cut(labels, np.arange(100), 0.2, seed=(2**40, 0), n_left=1)
    assert big.sum() == 20


@pytest.mark.parametrize(
    ("counts", "n", "expected"),
    [
        ([50, 50], 10, [5, 5]),
        ([97, 3], 10, [9, 1]),
        ([5, 0, 5], 4, [2, 0, 2]),
        ([3, 3, 3], 2, [1, 1, 0]),
    ],
)
def test_quotas_are_in_proportion(counts: list[int], n: int, expected: list[int]) -> None:
    assert quotas(np.array(counts), n).tolist() == expected


def test_sample_is_stratified_and_sorted() -> None:
    labels, pool = np.tile([0, 0, 0, 1], 100), np.arange(100, 400)
    found = sample(labels, pool, 40, seed=(1, 2))
    assert np.bincount(labels[found]).tolist() == [30, 10]
    assert (np.diff(found) > 0).all()
    assert set(found) <= set(pool)


def test_folds_spread_each_stratum() -> None:
    labels = np.repeat([0, 1], 40)
    strata = np.arange(80) % 4
    fold_of = cut_folds(labels, np.arange(80), 5, seed=(1, 0), strata=strata)
    for stratum in range(4):
        assert np.bincount(fold_of[strata == stratum]).tolist() == [4, 4, 4, 4, 4]
