"""The folder that `train` writes into."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.production.trained_folder import trained_folder


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def tree(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "names",
    [
        ("state/game.sav",),
        ("state/weights.npz", "model.keras"),
        ("state/open", "notes.txt"),
        ("state/open", "config.yaml"),
        ("state/open", "results.json"),
        (".hidden",),
    ],
)
def test_folder_of_somebody_else_is_refused_and_left_as_it_is(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    make(tmp_path, *names)
    with (
        pytest.raises(ConfigurationError, match="already holds files; they are not replaced"),
        trained_folder(tmp_path),
    ):
        pass
    assert tree(tmp_path) == set(names)


@pytest.mark.parametrize(
    "names",
    [
        ("state/open",),
        ("state/open", "state/owner", "state/training-0.npz", ".lock", "model.keras", "best.yaml"),
        ("state/open", "model.weights.h5", ".best.yaml.4711@0a1b2c3d.tmp"),
        ("state/open", ".model.keras.4711@0a1b2c3d.tmp", ".4711@0a1b2c3d-model.weights.h5"),
    ],
)
def test_folder_of_a_killed_training_is_taken_over(tmp_path: Path, names: tuple[str, ...]) -> None:
    make(tmp_path, *names)
    with trained_folder(tmp_path) as folder:
        assert not list(folder.state.glob("*.npz"))
    assert not folder.state.exists()
