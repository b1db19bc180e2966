"""Commands of the docs that train or need a trained model, each page's in their order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_export import run_script
from tests.documentation.command_lines import (
    NEED_TRAINING,
    NOT_EXECUTED,
    WHOLE_PAGES,
    TypedLine,
    typed,
    words,
)
from tests.documentation.sandbox import WHOLE, Sandbox, make_sandbox

pytestmark = pytest.mark.slow

SERVICE = "serve"


def is_executed(line: TypedLine) -> bool:
    """Whether this module executes it."""
    if line.reason or line.page in WHOLE_PAGES or line.command is None:
        return False
    kind = words(line.command)[0]
    return kind in NEED_TRAINING and kind != SERVICE


LINES = [line for line in typed() if is_executed(line)]
PAGES = sorted({line.page for line in LINES})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return make_sandbox(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_do_their_work(page: str, sandbox: Sandbox) -> None:
    for line in LINES:
        if line.page == page:
            before, _, _ = line.text.rpartition(" | ")
            assert line.command is not None
            shown = sandbox.execute(line.command, before)
            assert shown.code == 0, f"{page}:{line.number}: {line.text}\n{shown.err}"
