"""Every public name has an example in its docstring, and the example is true."""

from __future__ import annotations

import doctest
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tuner
from docs.site.api_page import members, public_objects
from tests.commands.finished import Finished


def public() -> Iterator[tuple[str, Any]]:
    """The names of `import tuner`, and the members of the classes behind them."""
    for name, found in public_objects().items():
        yield name, found
        for member, value in members(found):
            yield f"{name}.{member}", value


def examples(found: Any) -> list[doctest.Example]:
    """Those of a docstring."""
    return doctest.DocTestParser().get_examples(inspect.getdoc(found) or "")


def cases() -> Iterator[Any]:
    for name, found in public():
        # These train.
        marks = [pytest.mark.slow] if name in ("run", "search") else []
        yield pytest.param(name, found, id=name, marks=marks)


@pytest.mark.parametrize(("name", "found"), list(cases()))
def test_example_is_there_and_true(
    name: str, found: Any, digits: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An example may add runs.
    shutil.copytree(digits.place / "reports", tmp_path / "reports")
    monkeypatch.chdir(tmp_path)
    listed = examples(found)
    assert listed, f"{name} has no example"
    globs = {"tuner": tuner, "run": tuner.load("digits")}
    test = doctest.DocTest(listed, globs, name, None, None, None)
    told: list[str] = []
    result = doctest.DocTestRunner().run(test, out=told.append)
    assert not result.failed, "".join(told)
