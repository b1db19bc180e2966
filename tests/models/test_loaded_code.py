"""A module that was edited since this process imported it is refused, until it is reloaded."""

from __future__ import annotations

import importlib
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import image_spec
from tuner.errors import ConfigurationError
from tuner.models.loaded_code import code_as_imported
from tuner.models.own_builder import load_own
from tuner.models.own_declaration import declared
from tuner.space.definition import Space


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "edited_sizes.py").write_text("SIZE = 1\n", encoding="utf-8")
    path = tmp_path / "edited_net.py"
    path.write_text("import edited_sizes\ndef build(hp): ...\n", encoding="utf-8")
    yield path
    for name in ("edited_net", "edited_sizes"):
        sys.modules.pop(name, None)


def call() -> None:
    with code_as_imported("edited_net:build"):
        load_own("edited_net:build")


def edit(path: Path) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}# Another line.\n", encoding="utf-8")


@pytest.mark.parametrize("name", ["edited_net", "edited_sizes"])
def test_an_edited_module_is_refused_until_it_is_reloaded(module: Path, name: str) -> None:
    call()
    call()
    edit(module.with_name(f"{name}.py"))
    with pytest.raises(ConfigurationError, match=f"{name}.py was edited after") as raised:
        call()
    assert f"importlib.reload on the module {name}" in raised.value.hint
    importlib.reload(sys.modules[name])
    call()
    edit(module.with_name(f"{name}.py"))
    with pytest.raises(ConfigurationError, match=f"{name}.py was edited after"):
        call()


def test_an_edit_before_the_import_is_none(module: Path) -> None:
    with code_as_imported("edited_net:build"):
        pass
    module.write_text("def build(hp): return 1\n", encoding="utf-8")
    call()
    assert load_own("edited_net:build")(None) == 1


def test_an_edit_between_the_import_and_the_first_call_is_refused(module: Path) -> None:
    load_own("edited_net:build")
    edit(module)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
            call()
    importlib.reload(sys.modules["edited_net"])
    call()


def test_an_edit_that_is_reverted_is_none(module: Path) -> None:
    before = module.read_bytes()
    call()
    edit(module)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()
    module.write_bytes(before)
    call()


def test_an_edit_after_the_reload_is_refused(module: Path) -> None:
    call()
    edit(module)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()
    importlib.reload(sys.modules["edited_net"])
    edit(module)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()


def test_what_was_refused_stays_refused_when_another_process_has_compiled_it(
    module: Path,
) -> None:
    load_own("edited_net:build")
    edit(module)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()
    py_compile.compile(str(module))
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()


def test_a_compiled_file_that_cannot_be_written_allows_a_reload(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_own("edited_net:build")
    edit(module)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        importlib.reload(sys.modules["edited_net"])
    call()


def test_a_compiled_file_that_is_never_written_tells_nothing(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_own("edited_net:build")
    sys.modules.pop("edited_net")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    edit(module)
    load_own("edited_net:build")
    call()


def test_a_module_below_a_link_is_one_and_the_same(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = module.parent / "link"
    link.symlink_to(module.parent, target_is_directory=True)
    monkeypatch.syspath_prepend(str(link))
    importlib.import_module("edited_net")
    assert Path(str(sys.modules["edited_net"].__file__)).parent == link
    call()
    edit(module)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        call()


def test_a_builder_that_a_space_names_is_checked_too(module: Path) -> None:
    """Wherever the name comes from, what the builder declares is asked for before a search."""
    call()
    edit(module)
    spec = image_spec(2)
    with pytest.raises(ConfigurationError, match=r"edited_net.py was edited after"):
        declared("edited_net:build", spec, Space(parameters=(), fixed={}))
