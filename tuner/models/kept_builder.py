"""Builders that a notebook or a script has defined, kept as modules that any process can import."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

from tuner.errors import ConfigurationError

# In the working directory, where a run's reports are by default.
USUAL_FOLDER = Path("reports") / ".given" / "builders"
CONTENT = ".pickle"


def make_findable(module: str) -> None:
    """Let Python find a module, where it is a kept builder or lies in the working directory."""
    # The working directory comes first; it may have changed since.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    kept = USUAL_FOLDER.absolute()
    if (kept / f"{module}.py").is_file() and str(kept) not in sys.path:
        sys.path.append(str(kept))


def unpickled(module_file: str) -> Any:
    """The builder whose module calls this.

    Args:
        module_file: The module's `__file__`.

    Raises:
        ConfigurationError: If its content is missing, or was written by another Python.
    """
    path = Path(module_file).with_suffix(CONTENT)
    try:
        return pickle.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path}: the builder is missing", "call tuner.run or tuner.search with it again."
        ) from error
    except ImportError as error:
        raise ConfigurationError(
            f"{path}: the builder uses a module that is not found: {error}",
            "start in the folder that holds it, or install its package.",
        ) from error
    except Exception as error:
        raise ConfigurationError(
            f"{path}: the builder cannot be read: {type(error).__name__}: {error}",
            "it was written by another version of Python, or of a package: call tuner.run or"
            " tuner.search with it again.",
        ) from error
