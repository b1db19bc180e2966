"""The values of a `build(values, image_spec)`, and which of them it reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any


class ReadValues(dict[str, Any]):
    """A dict, as a builder gets it in a training, that keeps the names that are read.

    Attributes:
        read: Names that `[]`, `get`, `in` and the like asked for.
        reads_all: Whether all values were gone through, as by `**values`.
        defaults: What `get` and the like gave for names without a value.
        missing: The name that `[]` had no value for; None where there is none.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Hold some values."""
        super().__init__(values)
        self.read: set[str] = set()
        self.reads_all = False
        self.defaults: dict[str, Any] = {}
        self.missing: str | None = None

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        self.missing = None if super().__contains__(name) else name
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """A value, or the default."""
        self._note(name, default)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """A value, which is then gone."""
        self._note(name, *default)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """A value, or the default, which is then there."""
        self._note(name, default)
        return super().setdefault(name, default)

    def _note(self, name: str, default: Any = None) -> None:
        self.read.add(name)
        # No subclass, such as NumPy's float64 or a member of an enumeration, and no infinity: the
        # run's files would not give them back. The builder goes on taking them by itself.
        is_plain = type(default) in (bool, int, str) or (
            type(default) is float and math.isfinite(default)
        )
        if not super().__contains__(name) and is_plain:
            self.defaults.setdefault(name, default)

    def __iter__(self) -> Iterator[str]:
        self.reads_all = True
        return super().__iter__()

    def keys(self) -> Any:
        """All names; `**values` and `dict(values)` come here."""
        self.reads_all = True
        return super().keys()

    def values(self) -> Any:
        """All values."""
        self.reads_all = True
        return super().values()

    def items(self) -> Any:
        """All names with their values."""
        self.reads_all = True
        return super().items()

    def copy(self) -> dict[str, Any]:
        """All values."""
        self.reads_all = True
        return super().copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        # For `copy.copy` and `copy.deepcopy`.
        self.reads_all = True
        return dict, (dict(super().items()),)
