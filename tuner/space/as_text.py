"""How files that runs wrote are read: a field of few values is read as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class AsText:
    """Marks a field whose few values pydantic does not check, as in `Annotated[Direction, AsText]`.

    A recipe is checked after it is read, where messages name every mistake at once. Results of
    another version are shown as they stand.
    """

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Callable[[Any], Any]) -> Any:
        """Any text; pydantic asks for this by name, so that no import of it is needed here."""
        return handler(str)
