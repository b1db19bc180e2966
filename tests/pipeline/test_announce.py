"""The first lines of a run name classes, parts and what is left out; they need no framework."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.data.layouts import Layout, write
from tuner.data.dataset import load_dataset
from tuner.data.own.resolve import resolve
from tuner.pipeline.announce import announce
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Notice
from tuner.records.trial import StartSetting
from tuner.search.methods.method import method_class
from tuner.space.parsing.parse import load_space
from tuner.space.sampling import n_settings
from tuner.space.split_settings import SplitSettings, SplitSizes


def notices(root: Path, layout: Layout | Path, search: str = "{}", **changes: Any) -> list[str]:
    found = told(root, layout, search, **changes)
    return [event.text for event in found if isinstance(event, Notice)]


def told(
    root: Path,
    layout: Layout | Path,
    search: str = "{}",
    budget_s: float | None = None,
    sizes: Any = None,
    *,
    model: str = "cnn",
    starts: tuple[str, ...] = (),
    split: SplitSettings | None = None,
    preset: Any = "standard",
    more: str = "",
) -> list[Any]:
    """All events, in a run that goes on where it was sized before."""
    given = root / "given"
    if isinstance(layout, Path):
        given = layout
    else:
        write(given, layout)
    (root / "s.yaml").write_text(
        f"version: 1\nmodel: {model}\nspace: {{filters: [4, 8]}}\nsearch: {search}\n{more}"
    )
    card = resolve(str(given), [], root / "data")
    events: list[Any] = []
    file = load_space(root / "s.yaml")
    job = SimpleNamespace(
        file=file,
        cost=method_class(file.search.method).cost(file.search, n_settings(file.space)),
        card=card,
        dataset=load_dataset(card, root / "data", split or SplitSettings(seed=0)).sealed(),
        folder=SimpleNamespace(path=root),
        starts=[StartSetting(origin=origin, values={}) for origin in starts],
        tell=events.append,
        options=RunOptions(dataset="given", time_budget_s=budget_s, preset=preset),
        sizes=sizes,
    )
    announce(job, [], is_resumed=sizes is not None)  # type: ignore[arg-type]
    return events


@pytest.mark.parametrize(
    ("model", "more"), [("cnn", ""), ("my.net:build", ", which your builder receives")]
)
def test_values_of_another_scale_are_told(tmp_path: Path, model: str, more: str) -> None:
    x = np.linspace(0, 1, 60 * 64, dtype=np.float32).reshape(60, 8, 8)
    np.savez(tmp_path / "floats.npz", x_train=x, y_train=np.arange(60) % 2)
    found = notices(tmp_path, tmp_path / "floats.npz", model=model)
    assert f"images of more than 8 bits: 0 to 1 becomes 0 to 255{more}" in found


PHOTOS = [f"{part}/{c}/*.png 9" for part in ("train", "val", "holdout") for c in ("cat", "dog")]


def test_what_a_time_budget_is_still_to_decide_is_not_told(tmp_path: Path) -> None:
    small = "{method: grid, max_epochs: 9, max_total_epochs: 9}"
    first, *others = told(tmp_path, PHOTOS, small, budget_s=600.0)
    assert (first.n_trials, first.n_epochs) == (0, 0)
    assert not any("max_total_epochs" in event.text for event in others)


def test_resumed_run_tells_how_it_was_sized(tmp_path: Path) -> None:
    sizes = SimpleNamespace(text="10 min: 7 settings")
    first, *others = told(tmp_path, PHOTOS, budget_s=600.0, sizes=sizes)
    assert first.n_trials > 0
    assert others[0].text.endswith("; it was sized for 10 min: 7 settings")


def test_classes_parts_and_what_is_left_out_are_told(tmp_path: Path) -> None:
    layout = [f"{part}/{c}/*.png 9" for part in ("train", "val", "holdout") for c in ("cat", "dog")]
    _, classes, parts, left_out = notices(
        tmp_path, [*layout, "new/*.png 3", "README.md", "train/.DS_Store"]
    )
    assert classes == "images per class: cat: 27, dog: 27"
    assert parts == "parts: train trains, val validates, holdout tests"
    assert "not images (README.md); 3" in left_out
    assert left_out.endswith("in no class folder (new/)")


def test_validation_part_that_tests_is_told(tmp_path: Path) -> None:
    assert notices(
        tmp_path, [f"{part}/{c}/*.png 9" for part in ("train", "val") for c in range(12)]
    )[1:] == [
        (
            "images per class: 0: 18, 1: 18, 2: 18, 3: 18, 4: 18, 5: 18, 6: 18, 7: 18, 8: 18, 9: 18"
            " and 2 classes more (36)"
        ),
        (
            "parts: train trains, val tests; it is the only held-out part, so the validation part"
            " is split from the rest"
        ),
    ]


def test_grid_that_its_budget_cuts_short_is_told(tmp_path: Path) -> None:
    layout = [f"{c}/*.png 30" for c in ("cat", "dog")]
    search = "{method: grid, max_epochs: 9, max_total_epochs: 9}"
    assert notices(tmp_path, layout, search)[0] == (
        "search.max_total_epochs ends the grid after 1 of 2 settings; 18 trains them all"
    )


def test_what_is_searched_together_and_trained_first_is_told(tmp_path: Path) -> None:
    layout = [f"train/{c}/*.png 9" for c in ("cat", "dog")]
    starts = ("baseline", "defaults of cnn")
    assert notices(tmp_path, layout, model="[baseline, cnn]", starts=starts)[:2] == [
        "searched together: baseline, cnn; --model NAME searches one alone",
        "starting settings, trained first, for all epochs: baseline, defaults of cnn",
    ]


@pytest.mark.parametrize(
    ("split", "more", "told"),
    [
        (SplitSettings(seed=0, limit=24), "", "56 of 120 images are not used (--limit)"),
        (
            SplitSettings(seed=0, max_train=20, max_validation=4),
            "",
            "56 of 120 images are not used (preset quick)",
        ),
        # Sizes that a space states take the place of the preset's ceilings.
        (
            SplitSettings(seed=0, sizes=SplitSizes(train=30, validation=10)),
            "split: {train: 30, validation: 10}\n",
            "40 of 120 images are not used (split in the search space)",
        ),
        (
            SplitSettings(seed=0, limit=32, sizes=SplitSizes(train=30, validation=10)),
            "split: {train: 30, validation: 10}\n",
            "48 of 120 images are not used (--limit and split in the search space)",
        ),
    ],
)
def test_images_in_no_part_are_counted_with_the_reason(
    tmp_path: Path, split: SplitSettings, more: str, told: str
) -> None:
    layout = [f"{part}/{c}/*.png 20" for part in ("train", "val", "test") for c in ("cat", "dog")]
    assert told in notices(tmp_path, layout, split=split, preset="quick", more=more)
