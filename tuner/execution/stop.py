"""A request to stop in order, which a signal makes and the loops obey."""

from __future__ import annotations

from typing import Literal

StopReason = Literal["interrupted", "terminated"]


class StopRequest:
    """Whether a stop was requested.

    Attributes:
        reason: `interrupted` or `terminated`; None without a request.
        is_heeded: Whether a loop is at work that looks here; where none is, whoever asks must stop
            things otherwise.
    """

    def __init__(self) -> None:
        """Begin without a request."""
        self.reason: StopReason | None = None
        self.is_heeded = False

    def is_made(self) -> bool:
        """Whether a stop was requested."""
        return self.reason is not None

    def __enter__(self) -> StopRequest:
        self.is_heeded = True
        return self

    def __exit__(self, *error: object) -> None:
        self.is_heeded = False
