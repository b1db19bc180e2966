"""Errors as you see them: a message that says where and what, and a hint how to fix it."""

from __future__ import annotations


class TunerError(Exception):
    """An error with a remedy; the command line prints two lines and exits with `exit_code`.

    Args:
        message: Where and what, in one line; a list of mistakes may take one line each.
        hint: How to fix it, in one line.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  Fix: {self.hint}" if self.hint else self.message


class ConfigurationError(TunerError):
    """A space, a card, an option or a path that cannot be used."""

    exit_code = 2


class SpaceError(ConfigurationError):
    """A space of which no setting can be built."""


class DataError(TunerError):
    """Data that is missing, unreadable or unusable."""

    exit_code = 4


class MissingDataError(DataError):
    """Data that are not where they should be."""


class SearchError(TunerError):
    """No trial of a search succeeded."""

    exit_code = 5
