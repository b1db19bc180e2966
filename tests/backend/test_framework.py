"""How a process starts its framework."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tuner.backend import framework
from tuner.errors import ConfigurationError


@pytest.fixture
def collecting() -> Iterator[None]:
    """As before, whatever a test does."""
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_afterwards_as_before(collecting: None, enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    framework.load()
    assert gc.isenabled() is enabled
    assert gc.get_freeze_count() > 100_000


def test_framework_that_cannot_be_imported_leaves_collecting_on(
    collecting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        assert not gc.isenabled()
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(ImportError, match=r"tuner\.backend\.active"):
        framework.load()
    assert gc.isenabled()


def test_settings_are_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_ACCELERATION", "fast")
    with pytest.raises(ConfigurationError, match="TUNER_ACCELERATION"):
        framework.start(1)
