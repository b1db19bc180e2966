"""What every test needs: framework settings before any import, and a say on tests of real data."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.shared_folder import shared_folder
from tuner.backend import environment

# As the command line does.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# On a CPU with 16-bit units each run in a folder of its own would measure them.
os.environ["TUNER_PRECISION"] = "float32"

environment.prepare()

# Files that take a minute and would come last: other processes would wait for theirs.
_FIRST = (
    "test_notebooks.py",
    "training/test_dead_dimensions.py",
    "training/transfer/test_transformer.py",
    "training/transfer/test_two_stages.py",
)


@pytest.fixture(scope="session")
def real_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of links to the real sets.

    The cache is written beside them and not into them, once for all processes of the tests.
    """
    root = shared_folder(tmp_path_factory) / "real"
    root.mkdir(exist_ok=True)
    for folder in Path(os.environ["TUNER_TEST_DATA"]).iterdir():
        if not folder.name.startswith("."):
            with suppress(FileExistsError):
                (root / folder.name).symlink_to(folder.resolve(), target_is_directory=True)
    return root


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not _has_real_data():
        items[:] = [item for item in items if not item.get_closest_marker("real_data")]
    first = {Path(__file__).parent / name for name in _FIRST}
    items.sort(key=lambda item: item.path not in first)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Imports leave hardly any garbage. Keras collects it with every model that is built anew; all
    # modules are imported afterwards, and stay.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _has_real_data():
        terminalreporter.write_line(
            "Tests of real data are left out: set TUNER_TEST_DATA to the folder that holds them."
        )


def _has_real_data() -> bool:
    return bool(os.environ.get("TUNER_TEST_DATA"))
