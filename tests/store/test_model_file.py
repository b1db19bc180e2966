"""The second name of a saved model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.store.model_file import model_file, put_in_place


def saved(folder: Path, name: str, content: str) -> Path:
    path = folder / "models" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def test_of_two_kinds_only_the_new_one_is_left(tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    whole, weights = saved(tmp_path, "a.keras", "a"), saved(tmp_path, "b.weights.h5", "b")
    assert put_in_place(whole, model) == model_file(model) == model
    assert put_in_place(weights, model) == model_file(model) == tmp_path / "model.weights.h5"
    assert model_file(model).read_text() == "b"
    assert put_in_place(whole, model) == model_file(model) == model
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "models"]


def test_model_has_its_place_though_the_disk_has_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr("tuner.store.files.whole_files.os.link", refuse)
    place = put_in_place(saved(tmp_path, "a.keras", "a"), tmp_path / "model.keras")
    assert place.read_text() == "a"
    assert place.stat().st_nlink == 1
