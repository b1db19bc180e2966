"""A request to stop in order, which a signal makes and the loops obey."""

from __future__ import annotations

from typing import Literal


class StopRequest:
    """Whether somebody asked for the end.

    Attributes:
        reason: `interrupted` or `terminated`; None as long as nobody asked.
        is_heeded: Whether a loop is at work that looks here; where none is, whoever asks must stop
            things otherwise.
    """

    def __init__(self) -> None:
        """Nobody has asked."""
        self.reason: Literal["interrupted", "terminated"] | None = None
        self.is_heeded = False

    def is_made(self) -> bool:
        """Whether somebody asked for the end."""
        return self.reason is not None

    def __enter__(self) -> StopRequest:
        self.is_heeded = True
        return self

    def __exit__(self, *error: object) -> None:
        self.is_heeded = False
