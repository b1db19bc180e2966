"""How a process imports its framework."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tuner.backend import framework
from tuner.errors import ConfigurationError


@pytest.fixture
def not_loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process without the framework, whose collector is as before after a test."""
    was_enabled = gc.isenabled()
    monkeypatch.delitem(sys.modules, "tuner.backend.active")
    gc.unfreeze()
    yield
    (gc.enable if was_enabled else gc.disable)()
    gc.freeze()


@pytest.mark.parametrize("enabled", [True, False])
def test_import_is_neither_collected_nor_looked_through_later(
    not_loaded: None, monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    def load(name: str) -> ModuleType:
        assert not gc.isenabled()
        return ModuleType(name)

    monkeypatch.setattr("importlib.import_module", load)
    (gc.enable if enabled else gc.disable)()
    assert gc.get_freeze_count() == 0
    framework.load()
    assert gc.isenabled() is enabled
    assert gc.get_freeze_count() > 100_000


def test_what_lives_later_may_be_collected() -> None:
    frozen = gc.get_freeze_count()
    kept = [[] for _ in range(1000)]
    framework.load()
    assert (gc.get_freeze_count(), len(kept)) == (frozen, 1000)


def test_framework_that_cannot_be_imported_leaves_collecting_on(
    not_loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(ImportError, match=r"tuner\.backend\.active"):
        framework.load()
    assert gc.isenabled()


def test_settings_are_checked_first(not_loaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.import_module", pytest.fail)
    monkeypatch.setenv("TUNER_ACCELERATION", "fast")
    with pytest.raises(ConfigurationError, match="TUNER_ACCELERATION"):
        framework.start(1)
