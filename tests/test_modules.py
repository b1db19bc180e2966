"""Length of modules, and where the names of search methods may stand."""

from __future__ import annotations

import re
from pathlib import Path

import tuner
from tuner.space.methods import METHODS

PACKAGE = Path(tuner.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 350


def test_no_module_is_too_long_to_read_at_once() -> None:
    assert MODULES
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert not {path: n for path, n in lines.items() if n > MAX_LINES}


def test_the_name_of_a_search_method_stands_in_the_registry_alone() -> None:
    quoted = re.compile("|".join(f'"{name}"' for name in METHODS))
    found = {path for path in MODULES if quoted.search(path.read_text(encoding="utf-8"))}
    assert [path.relative_to(PACKAGE).as_posix() for path in found] == ["space/methods.py"]
