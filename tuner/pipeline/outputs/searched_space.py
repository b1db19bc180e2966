"""The space that a run has searched, from its configuration."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from tuner.space.definition import SearchSpaceFile
from tuner.store.files.reading import DamagedFileError
from tuner.store.run_folder import RunFolder

_FILE = TypeAdapter(SearchSpaceFile)


def searched_space(folder: RunFolder) -> SearchSpaceFile:
    """The space of the run, with preset and options applied.

    Raises:
        DamagedFileError: If config.yaml holds none.
    """
    config: dict[str, Any] = folder.read_config()
    try:
        space = {**config["identity"]["space"], "precision": "auto"}
        return _FILE.validate_python(space)
    except (KeyError, TypeError, ValidationError) as error:
        raise DamagedFileError(
            f"{folder.path}/config.yaml: this version cannot read its space",
            "use the version of tuner that wrote it, or run again.",
        ) from error
