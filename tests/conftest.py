"""What every test needs: framework settings before any import, and a say on tests of real data."""

from __future__ import annotations

import gc
import os

import pytest

from tuner.backend import environment

environment.prepare()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not _has_real_data():
        items[:] = [item for item in items if not item.get_closest_marker("real_data")]


def pytest_collection_finish() -> None:
    # Keras collects garbage with every model that is built anew; all modules are imported by now,
    # and stay.
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _has_real_data():
        terminalreporter.write_line(
            "Tests of real data are left out: set TUNER_TEST_DATA to the folder that holds them."
        )


def _has_real_data() -> bool:
    return bool(os.environ.get("TUNER_TEST_DATA"))
