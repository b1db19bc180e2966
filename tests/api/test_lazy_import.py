"""`import tuner` costs nothing, and offers the public names."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tuner

FRAMEWORKS = ("tensorflow", "jax", "torch", "keras", "keras_tuner", "pandas", "numpy", "pydantic")


def test_import_brings_in_no_framework() -> None:
    code = (
        "import sys, tuner; dir(tuner);"
        f"print(*(name for name in {FRAMEWORKS!r} if name in sys.modules));"
        "print(*(name for name in sys.modules if name.startswith('tuner.')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "\n\n"


def test_a_script_beside_a_checkout_imports_the_package(tmp_path: Path) -> None:
    (tmp_path / "tuner").mkdir()
    (tmp_path / "tuner" / "README.md").touch()
    script = tmp_path / "script.py"
    script.write_text("import tuner; print(tuner.load.__name__)", encoding="utf-8")
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("load\n", "")


@pytest.mark.parametrize("name", tuner.__all__)
def test_each_public_name_is_there_and_documented(name: str) -> None:
    assert name in dir(tuner)
    found = getattr(tuner, name)
    # The package `tuner.search` can be called.
    assert found.__name__.removeprefix("tuner.") == name
    assert found.__doc__


def test_another_name_is_an_error_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'tuner' has no attribute 'laod'"):
        _ = tuner.laod


def test_help_of_search_is_that_of_the_function() -> None:
    names = list(inspect.signature(tuner.search).parameters)
    assert names[:5] == ["build", "x", "y", "validation_data", "objective"]
    # All that `tuner.run` takes, but for what the arguments say.
    missing = set(inspect.signature(tuner.run).parameters) - set(names)
    assert missing == {"data", "model", "search_only"}
    assert "Search what a builder declares" in (inspect.getdoc(tuner.search) or "")
