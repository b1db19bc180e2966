"""What every test needs: framework settings before any import, and a say on tests of real data."""

from __future__ import annotations

import os

import pytest

from tuner.backend import environment

environment.prepare()

_LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("TUNER_TEST_DATA"):
        return
    real = [item for item in items if item.get_closest_marker("real_data")]
    items[:] = [item for item in items if item not in real]
    config.stash[_LEFT_OUT] = len(real)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    n = config.stash.get(_LEFT_OUT, 0)
    if n:
        terminalreporter.write_line(
            f"{n} tests of real data left out: set TUNER_TEST_DATA to the folder that holds them."
        )
