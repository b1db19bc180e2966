"""What is told of a recipe before it is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.production.recipes import import_notice


def test_what_a_recipe_is_about_to_import_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_models").mkdir()
    (tmp_path / "my_models/__init__.py").write_text("raise AssertionError('imported')")
    assert import_notice("cnn") is None
    notice = import_notice("my_models.nets:build")
    assert notice == (
        f"this recipe runs code: it imports my_models.nets ({tmp_path}/my_models/__init__.py)"
        " and calls its build"
    )
    assert "(not found yet)" in str(import_notice("no_such_models:build"))
