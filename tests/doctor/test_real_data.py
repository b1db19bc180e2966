"""The doctor finds what is known of the real sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.data.cards.card_files import load_card
from tuner.data.load import load_images
from tuner.doctor.examine import examine
from tuner.doctor.findings import Finding

pytestmark = pytest.mark.slow

CARDS = Path(__file__).parents[2] / "datasets"


def findings(name: str, real_data: Path) -> dict[str, list[Finding]]:
    """The findings by their codes."""
    card = load_card(name, [CARDS])
    found: dict[str, list[Finding]] = {}
    for finding in examine(load_images(card, real_data), card).findings:
        found.setdefault(finding.code, []).append(finding)
    return found


@pytest.mark.real_data
def test_fer2013(real_data: Path) -> None:
    found = findings("fer2013", real_data)
    (across,) = found["copies-across-parts"]
    (conflicting,) = found["conflicting-labels"]
    assert across.summary == "280 of 3,589 PublicTest images (7.8 %) copy an image of Training."
    assert found["copies"][0].summary == "Training: 28,709 images, 27,473 distinct; 1,236 copies."
    assert conflicting.summary == (
        "47 images occur with different labels (129 times in all, 0.4 %); "
        "39 (107 times) within Training, 1 (2 times) within PublicTest."
    )
    assert not [
        finding for group in found.values() for finding in group if finding.severity == "error"
    ]


@pytest.mark.real_data
def test_happy_sad(real_data: Path) -> None:
    found = findings("happy_sad", real_data)
    (suffixes,) = found["wrong-suffix"]
    (conflicting,) = found["conflicting-labels"]
    assert {sample.origin for (sample,) in suffixes.examples} >= {
        "happy/images18.jpg",
        "happy/images6.jpg",
    }
    (group,) = conflicting.examples
    assert [sample.origin.partition("-")[0] for sample in group] == [
        "happy/ADea4I4CgV4",
        "sad/ADea4I4CgV4",
    ]
    assert found["near-copies"][0].counts["groups"] == 37
