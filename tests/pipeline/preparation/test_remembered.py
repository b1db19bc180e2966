"""`start_from: auto`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.images import image_spec, tiny_dataset
from tests.pipeline.preparation.test_start_settings import CARD, SPLIT, file_of
from tests.production.test_fitting import recipe
from tuner.pipeline.preparation.remembered import (
    distance,
    kept,
    read_remembered,
    remembered,
)
from tuner.pipeline.preparation.start_settings import StartSettings
from tuner.records.trial import StartSetting
from tuner.space.definition import SearchSpaceFile
from tuner.store.files.reading import DamagedFileError
from tuner.store.recipe_file import write_recipe
from tuner.store.run_folder import RunFolder

DATASET = replace(tiny_dataset(), spec=image_spec(side=8))
N_TRAIN = len(DATASET.split.folds[0].train)


def ended(out: Path, name: str, values: Mapping[str, Any], **changes: Any) -> RunFolder:
    """A finished run on data as similar as can be, but for the changes."""
    base = recipe(DATASET.spec.class_names)
    data = replace(base.data, n_train=N_TRAIN, **changes.pop("data", {}))
    folder = RunFolder(out / name)
    folder.models.mkdir(parents=True)
    write_recipe(replace(base, values=values, data=data, **changes), folder.recipe_of("tuned"), "")
    return folder


def recalled(
    tmp_path: Path, *stated: StartSetting, file: SearchSpaceFile | None = None
) -> StartSettings:
    file = file or file_of(tmp_path, "auto")
    return remembered(
        file, CARD, DATASET, SPLIT, tmp_path / "reports", StartSettings(settings=stated)
    )


def test_nothing_is_remembered_unasked(tmp_path: Path) -> None:
    ended(tmp_path / "reports", "dogs/20260101-000000-a", {"filters": 8})
    assert recalled(tmp_path, file=file_of(tmp_path, "defaults")) == StartSettings()


def test_the_most_similar_winners_come_first_and_each_is_told(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    far = replace(recipe().image, height=32, width=32, class_names=DATASET.spec.class_names)
    ended(out, "far/20260103-000000-a", {"filters": 16}, image=far)
    ended(out, "near/20260101-000000-a", {"filters": 8})
    found = recalled(tmp_path)
    assert [start.origin for start in found.settings] == [
        "near/20260101-000000-a",
        "far/20260103-000000-a",
    ]
    assert [start.values["filters"] for start in found.settings] == [8, 16]
    assert found.notices[1] == (
        f"start_from: auto uses far/20260103-000000-a (2 classes, {N_TRAIN} training images of"
        " 32 x 32 pixels)"
    )


def test_other_data_models_and_equal_settings_are_not_taken(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    huge = replace(recipe().image, height=300, width=300)
    ended(out, "huge/20260101-000000-a", {"filters": 4}, image=huge)
    ended(out, "other/20260101-000000-b", {}, model="efficientnet_lite0")
    ended(out, "twice/20260102-000000-a", {"filters": 8})
    ended(out, "twice/20260101-000000-b", {"filters": 8})
    ended(out, "stated/20260101-000000-c", {"filters": 16})
    (again,) = recalled(tmp_path, StartSetting(origin="x", values={"filters": 16})).settings
    assert again.origin == "twice/20260102-000000-a"


def test_there_are_three_at_most(tmp_path: Path) -> None:
    for filters in (4, 8, 16, 24):
        ended(tmp_path / "reports", f"a/2026010{filters % 7}-000000-a", {"filters": filters})
    assert len(recalled(tmp_path).settings) == 3


@pytest.mark.parametrize("is_resized", [False, True])
def test_a_winner_chosen_on_what_tests_now_is_left_out_and_said(
    tmp_path: Path, *, is_resized: bool
) -> None:
    """Images that were brought to another size have another fingerprint, and are the same."""
    fingerprint = "of another size" if is_resized else DATASET.images.fingerprint
    same = {"fingerprint": fingerprint}
    out, name = tmp_path / "reports", DATASET.card.name if is_resized else "copy"
    other, fewer = replace(SPLIT, seed=7), replace(SPLIT, limit=7)
    ended(out, f"{name}/20260101-000000-a", {"filters": 8}, data={**same, "split": other})
    ended(out, f"{name}/20260101-000000-b", {"filters": 16}, data={**same, "split": fewer})
    found = recalled(tmp_path)
    assert [start.origin for start in found.settings] == [f"{name}/20260101-000000-b"]
    assert any(f"leaves out {name}/20260101-000000-a: it was chosen" in n for n in found.notices)


@pytest.mark.parametrize(("test_digest", "n"), [(DATASET.split.test_digest, 1), ("other", 0)])
def test_the_images_that_tested_count_where_the_recipe_knows_them(
    tmp_path: Path, test_digest: str, n: int
) -> None:
    """A card that was edited splits otherwise with the same seed."""
    data = {"fingerprint": DATASET.images.fingerprint, "split": SPLIT, "test_digest": test_digest}
    ended(tmp_path / "reports", "a/20260101-000000-a", {"filters": 8}, data=data)
    assert len(recalled(tmp_path).settings) == n


def test_what_the_space_or_the_card_does_not_allow_is_left_out_and_said(tmp_path: Path) -> None:
    ended(tmp_path / "reports", "a/20260101-000000-a", {"conv_blocks": 6})
    (first, second) = recalled(tmp_path).notices
    assert first.startswith("start_from: auto leaves out a/20260101-000000-a: conv_blocks is 6")
    assert second.startswith("start_from: auto uses no run below ")


def test_an_unfinished_or_damaged_run_is_passed_over(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    unfinished = RunFolder(out / "a/20260101-000000-a")
    unfinished.create()
    unfinished.write_config({})
    write_recipe(recipe(DATASET.spec.class_names), unfinished.recipe_of("tuned"), "")
    ended(out, "a/20260101-000000-b", {}).recipe_of("tuned").write_text("model: [")
    found = recalled(tmp_path)
    assert found.settings == ()
    assert found.notices == (f"start_from: auto uses no run below {out}",)


def test_a_search_alone_has_a_winner_too(tmp_path: Path) -> None:
    folder = ended(tmp_path / "reports", "a/20260101-000000-a", {"filters": 8})
    folder.recipe_of("tuned").rename(folder.recipe)
    (start,) = recalled(tmp_path).settings
    assert start.values["filters"] == 8


def test_distance_counts_ratios(tmp_path: Path) -> None:
    one = recipe(DATASET.spec.class_names)
    alike = replace(one, data=replace(one.data, n_train=N_TRAIN))
    assert distance(alike, DATASET) == 0
    grey = replace(alike, image=replace(alike.image, height=16, width=16, channels=3))
    assert distance(grey, DATASET) == pytest.approx(0.6931 + 0.5, abs=1e-3)
    fewer = replace(alike, data=replace(one.data, n_train=4 * N_TRAIN))
    assert distance(fewer, DATASET) == pytest.approx(0.6931, abs=1e-3)


def test_a_run_goes_on_with_what_it_began_with() -> None:
    starts = (
        StartSetting(origin="a/b", values={"filters": 8, "dropout": 0.5, "optimizer": "sgd"}),
        StartSetting(origin="c/d", values={}, model="cnn"),
    )
    assert read_remembered(kept(starts), "config.yaml") == starts
    assert kept(()) == {}
    assert read_remembered({}, "config.yaml") == ()
    with pytest.raises(DamagedFileError, match="remembered does not hold settings"):
        read_remembered({"remembered": [{"origin": 1}]}, "config.yaml")
