"""A search space in any form as a file, which a command takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.api.space import Space
from tuner.errors import ConfigurationError


def space_file(space: Any, folder: Path) -> Path | None:
    """The file of a space; one made in Python is written to a folder, named by what is in it.

    Args:
        space: A path, a dict, a `Space`, or None.
        folder: Where it is written.

    Raises:
        ConfigurationError: If it is none of these, or with every mistake in it.
        OSError: If it cannot be written.
    """
    if space is None:
        return None
    if isinstance(space, str | os.PathLike):
        return Path(space)
    if isinstance(space, Mapping):
        space = Space(space)
    if not isinstance(space, Space):
        raise ConfigurationError(
            f"space: {type(space).__name__} is not a search space",
            "give the path of a YAML file, a dict, or a tuner.Space.",
        )
    text = space.to_yaml()
    path = folder / f"space-{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml"
    if not path.is_file():
        space.to_yaml(path)
    return path
