"""A module that was edited since this process imported it is refused, until it is reloaded."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuner.api.given_model.loaded_code import code_as_imported
from tuner.errors import ConfigurationError
from tuner.models.own_builder import load_own


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "edited_sizes.py").write_text("SIZE = 1\n", encoding="utf-8")
    path = tmp_path / "edited_net.py"
    path.write_text("import edited_sizes\ndef build(hp): ...\n", encoding="utf-8")
    yield path
    for name in ("edited_net", "edited_sizes"):
        sys.modules.pop(name, None)


def call() -> None:
    with code_as_imported("cnn,edited_net:build"):
        load_own("edited_net:build")


@pytest.mark.parametrize("name", ["edited_net", "edited_sizes"])
def test_an_edited_module_is_refused_until_it_is_reloaded(module: Path, name: str) -> None:
    call()
    call()
    path = module.with_name(f"{name}.py")
    path.write_text(f"{path.read_text(encoding='utf-8')}# Another line.\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"{name}.py was edited after") as raised:
        call()
    assert f"importlib.reload on the module {name}" in raised.value.hint
    importlib.reload(sys.modules[name])
    call()


def test_an_edit_before_the_import_is_none(module: Path) -> None:
    with code_as_imported("edited_net:build"):
        pass
    module.write_text("def build(hp): return 1\n", encoding="utf-8")
    call()
    assert load_own("edited_net:build")(None) == 1
