"""A builder of your own, from `run` to `predict` and `train --from`.

`make soak` does the same with 26 builders.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Outcome, call, write_photos
from tests.soak.own_builders import SPACE, UNITS


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_photos(tmp_path / "photos", ["cat", "dog"])
    return tmp_path


def run(place: Path, name: str) -> Outcome:
    space = SPACE.format(name=name, space=UNITS).replace("net:", "tests.soak.published:")
    (place / "space.yaml").write_text(space, encoding="utf-8")
    return call(
        "run",
        "photos",
        "--space",
        "space.yaml",
        "--max-trials",
        "1",
        "--executor",
        "inline",
        cwd=place,
    )


@pytest.mark.slow
def test_subclassed_model_with_logits_and_a_step_of_its_own_works_to_the_end(place: Path) -> None:
    ran = run(place, "build_own_step")
    assert ran.code == 0, ran.err
    folder = Path(ran.out.strip()).parent
    assert (place / folder / "model.weights.h5").is_file()
    assert not (place / folder / "model.keras").exists()
    assert "class of its own, whose layers Keras cannot follow" in (
        place / folder / "report.html"
    ).read_text("utf-8")
    predicted = call("predict", folder, "photos/cat/00.png", cwd=place)
    assert (predicted.code, predicted.out.count("%")) == (0, 2), predicted.err
    trained = call("train", "--from", folder, "--out", "again", cwd=place)
    assert trained.code == 0, trained.err
    again = call("predict", "again", "photos/cat/00.png", cwd=place)
    assert again.out == predicted.out


def test_logits_are_refused_in_two_lines_before_the_run_has_a_folder(place: Path) -> None:
    ran = run(place, "build_logits_unsaid")
    assert (ran.code, ran.out) == (2, "")
    message, fix = ran.err.splitlines()
    assert "they look like logits, and its loss does not say from_logits" in message
    assert fix.startswith(
        '  Fix: end it with keras.layers.Dense(2, activation="softmax"), or compile it with loss='
    )
    assert not (place / "reports").exists()
