"""What the data doctor says before a run."""

from __future__ import annotations

import pytest

from tests.doctor.samples import card, data
from tuner.errors import DataError
from tuner.pipeline.preparation.examination import check_before_run


def told(images: object, target: str = "tiny", **fields: object) -> list[str]:
    return check_before_run(images, card(**fields), target)  # type: ignore[arg-type]


def test_run_is_told_what_would_mislead_and_nothing_else() -> None:
    assert told(data([0, 1] * 20)) == []
    assert told(data([0, 1] * 20, same=[(0, 2)], unreadable=("x.png: not an image",))) == []
    images = data([0, 1] * 20, parts=["train"] * 20 + ["test"] * 20, same=[(0, 20)])
    assert told(images) == ["1 of 20 PrivateTest images (5.0 %) copies an image of Training"]


def test_run_is_told_at_most_four_lines() -> None:
    odd = {"width": 6, "height": 20, "is_animated": True}
    images = data(
        [0] * 32 + [1] * 8,
        parts=["train", "test"] * 20,
        same=[(0, 1)],
        near=[(2, 33)],
        files={3: odd},
    )
    lines = told(images)
    assert len(lines) == 4
    assert lines[-1].endswith("findings more: python -m tuner datasets check tiny")
    assert told(images, "../my photos")[-1].endswith(
        "findings more: python -m tuner datasets check '../my photos'"
    )


def test_run_on_worthless_data_is_refused_with_every_reason() -> None:
    images = data([0] * 20 + [1] * 2, unreadable=("x.png: not an image",) * 30)
    with pytest.raises(DataError) as refused:
        told(images)
    assert refused.value.exit_code == 4
    assert str(refused.value).splitlines() == [
        "tiny: results would be worthless:",
        "  30 of 52 files (57.7 %) cannot be read: not an image (30).",
        '  1 class with fewer than 3 distinct images: "dog" (2).',
        "  Fix: replace or delete them.",
    ]
