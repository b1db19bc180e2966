"""`tuner.Space`: a search space made in Python, with the checks of the YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.errors import ConfigurationError
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import Document, load_document, parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.parsing.schema import SpaceFile
from tuner.space.vocabulary import VOCABULARIES
from tuner.store.files.plain_yaml import plain_yaml
from tuner.store.files.whole_files import write_text

_NAME = "Space"
# Where none of these is there, the keys are hyperparameters.
SPACE_KEYS = frozenset(SpaceFile.model_fields).difference(*VOCABULARIES.values())


class Space:
    """A search space: what `search_spaces/*.yaml` hold, checked as soon as it is made.

    Attributes:
        data: Plain values by the keys of the YAML.
        file: The same as a record: ranges, conditions, search and retraining.

    Example:
        >>> space = tuner.Space({"filters": [16, 32]}, search={"max_epochs": 9})
        >>> space.file.search.max_epochs
        9
    """

    def __init__(self, data: Mapping[str, Any] | None = None, /, **keys: Any) -> None:
        """Make a space from the keys of the YAML, or from the ranges alone.

        Args:
            data: Keys of the YAML, such as `model`, `space` and `search`; or, where none of these
                is there, the hyperparameters themselves.
            **keys: More keys of the YAML.

        Raises:
            ConfigurationError: With every mistake in it.
        """
        given = dict(data or {})
        whole = given if not given or SPACE_KEYS & set(given) else {"space": given}
        self._take(parse_document(_text({"version": 1, **whole, **keys}), _NAME))

    @classmethod
    def from_yaml(cls, path: str | Path) -> Space:
        """Read a YAML file.

        Args:
            path: The file.

        Raises:
            ConfigurationError: If it cannot be read, or with every mistake in it.

        Example:
            >>> space = tuner.Space({"filters": [16, 32]})
            >>> text = space.to_yaml("small.yaml")
            >>> tuner.Space.from_yaml("small.yaml") == space
            True
        """
        space = cls.__new__(cls)
        space._take(load_document(Path(path)))
        return space

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The space as YAML, written to a file too where one is named.

        Args:
            path: The file; None writes none.

        Raises:
            OSError: If the file cannot be written.

        Example:
            >>> print(tuner.Space({"filters": [16, 32]}).to_yaml())
            version: 1
            space:
              filters:
              - 16
              - 32
            <BLANKLINE>
        """
        text = _text(self.data)
        if path is not None:
            write_text(Path(path), text)
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.to_yaml())

    def __repr__(self) -> str:
        return f"Space({self.data!r})"

    def _take(self, document: Document) -> None:
        self.file: SearchSpaceFile = parse_space(document)
        self.data: dict[str, Any] = document.data


def _text(data: Mapping[str, Any]) -> str:
    return plain_yaml(_plain(data))


def plain_values(value: Any) -> Any:
    """Numbers and arrays of NumPy as Python's, in a dict or list too, without importing NumPy."""
    if isinstance(value, Mapping):
        return {key: plain_values(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain_values, value)) if type(value) in (list, tuple) else value
    return _pythons(value)


def _pythons(value: Any) -> Any:
    """A number or an array of NumPy's as Python's; anything else as it is."""
    is_numpys = hasattr(value, "dtype") and hasattr(value, "tolist")
    return value.tolist() if is_numpys else value


def _plain(value: Any) -> Any:
    """Tuples and arrays as lists, paths as text, NumPy's numbers as Python's, for YAML."""
    value = _pythons(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(one) for one in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ConfigurationError(
        f"{_NAME}: {type(value).__name__} is not a value that a space can hold",
        "give numbers, text, lists and dicts, as in the YAML.",
    )
