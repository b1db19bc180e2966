"""Settings as points: distances, ranges of one name, what is switched off, draws."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.methods.test_families import SPACE
from tests.search.methods.test_guided import USUAL
from tests.search.test_proposals import HILL, NESTED
from tuner.search.methods.unit_cube import UnitCube
from tuner.space.definition import Condition, Parameter, Space
from tuner.space.sampling import has_setting, sample

WORDS = Space(
    parameters=(
        Parameter(name="optimizer", kind="choice", choices=("sgd", "adam", "rmsprop")),
        Parameter(name="norm", kind="boolean", choices=(False, True)),
        Parameter(name="units", kind="ordinal", choices=(256, 16, 64)),
    ),
    fixed={"batch_size": 32},
)


def points(space: Space, *settings: dict[str, object]) -> np.ndarray:
    cube = UnitCube(space)
    return cube.points(np.array([cube.places(values) for values in settings]))


def distance(space: Space, one: dict[str, object], other: dict[str, object]) -> float:
    return float(np.linalg.norm(np.subtract(*points(space, one, other))))


def test_words_are_at_distance_1_from_each_other_and_numbers_of_a_list_by_rank() -> None:
    base = {"optimizer": "sgd", "norm": False, "units": 16}
    assert distance(WORDS, base, base | {"optimizer": "adam"}) == pytest.approx(1)
    assert distance(WORDS, base, base | {"optimizer": "rmsprop"}) == pytest.approx(1)
    assert distance(WORDS, base, base | {"norm": True}) == pytest.approx(1)
    near = distance(WORDS, base, base | {"units": 64})
    assert distance(WORDS, base, base | {"units": 256}) == pytest.approx(2 * near)


def test_a_logarithmic_range_is_placed_by_the_logarithm() -> None:
    base = {"x": 0.5, "rate": 1e-4, "dropout": 0.1}
    steps = [distance(HILL, base, base | {"rate": rate}) for rate in (1e-3, 1e-2, 1e-1)]
    assert steps == pytest.approx([1 / 3, 2 / 3, 1])


def test_ranges_of_one_name_share_a_coordinate_each_from_its_own_low_end() -> None:
    cube = UnitCube(USUAL)
    assert cube.n_names == len(USUAL.searched)
    slow = {"optimizer": "adamw", "rate": 1e-4, "units": 16, "norm": True}
    fast = {"optimizer": "sgd", "rate": 1e-3, "momentum": 0.895, "units": 16, "norm": True}
    # Both rates are at the low end of their range; only the optimizer differs, as half of the
    # momentum is what a setting without any has.
    assert distance(USUAL, slow, fast) == pytest.approx(1)


def test_what_is_switched_off_says_nothing() -> None:
    with_momentum = {"optimizer": "sgd", "momentum": 0.3, "units": 2, "batch_size": 32}
    without = {"optimizer": "adam", "units": 2, "batch_size": 32}
    assert np.isnan(UnitCube(NESTED).places(without)).tolist() == [False, True, False]
    assert distance(NESTED, without, without) == 0
    assert distance(NESTED, without, with_momentum) > 1


@pytest.mark.parametrize("space", [WORDS, HILL, NESTED, USUAL, SPACE])
def test_a_setting_comes_back_from_its_places(space: Space) -> None:
    cube, rng = UnitCube(space), np.random.default_rng(0)
    for _ in range(50):
        values = sample(space, rng)
        places = cube.places(values)
        back = cube.setting(places)
        assert back.keys() == values.keys()
        assert cube.places(back) == pytest.approx(places, nan_ok=True)


@pytest.mark.parametrize("space", [WORDS, HILL, NESTED, USUAL, SPACE])
def test_all_that_is_drawn_belongs_to_the_space_and_is_where_it_says(space: Space) -> None:
    cube, rng = UnitCube(space), np.random.default_rng(0)
    drawn = [cube.drawn(40, rng), cube.latin_hypercube(40, rng)]
    for places in np.concatenate([*drawn, *(cube.perturbed(rows, rng) for rows in drawn)]):
        values = cube.setting(places)
        assert has_setting(space, values)
        again = cube.places(values)
        assert np.isnan(again).tolist() == np.isnan(places).tolist()
        # A whole number on a logarithmic scale is placed in the middle of its cell.
        assert np.nan_to_num(again) == pytest.approx(np.nan_to_num(places), abs=0.5)


def test_a_latin_hypercube_draws_once_from_each_part_of_every_scale() -> None:
    cube = UnitCube(HILL)
    places = cube.latin_hypercube(6, np.random.default_rng(0))
    assert sorted((places[:, 0] * 6).astype(int)) == list(range(6))
    assert sorted((places[:, 1] * 6).astype(int)) == list(range(6))
    # Dropout has six values, each of which is there.
    assert len(set(places[:, 2])) == 6


def test_perturbed_settings_keep_about_half_and_stay_near() -> None:
    cube, rng = UnitCube(HILL), np.random.default_rng(0)
    places = np.repeat(cube.drawn(1, rng), 2000, axis=0)
    moved = cube.perturbed(places, rng)
    is_kept = moved[:, :2] == places[:, :2]
    assert np.mean(is_kept) == pytest.approx(0.5, abs=0.03)
    assert np.median(np.abs(moved - places)[:, :2][~is_kept]) < 0.15
    assert moved.min() >= 0
    assert moved.max() < 1


def test_perturbed_settings_near_the_end_of_a_range_often_lie_at_it() -> None:
    cube, rng = UnitCube(HILL), np.random.default_rng(0)
    places = np.full((2000, 3), 0.95)
    xs = [cube.setting(row)["x"] for row in cube.perturbed(places, rng)]
    # Half of them move, and of those a quarter too far.
    assert np.mean(np.isclose(xs, 1.0)) == pytest.approx(0.13, abs=0.03)


def test_a_condition_on_one_of_several_ranges_of_a_parent() -> None:
    sgd, adam = (Condition(parent="optimizer", values=(name,)) for name in ("sgd", "adam"))
    space = Space(
        parameters=(
            Parameter(name="optimizer", kind="choice", choices=("sgd", "adam")),
            Parameter(name="units", kind="ordinal", choices=(1, 2), conditions=(sgd,), place=0),
            Parameter(name="units", kind="ordinal", choices=(2, 4), conditions=(adam,), place=1),
            Parameter(
                name="depth", kind="int", low=1, high=9,
                conditions=(Condition(parent="units", values=(2,)),),
            ),
        ),
        fixed={},
    )  # fmt: skip
    cube = UnitCube(space)
    for places in cube.drawn(60, np.random.default_rng(0)):
        assert has_setting(space, values := cube.setting(places))
        assert np.isnan(places[3]) == ("depth" not in values) == (values["units"] != 2)
