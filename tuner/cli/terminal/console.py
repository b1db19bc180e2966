"""Rich's console on stderr, as wide as the terminal there."""

from __future__ import annotations

from rich.console import Console, ConsoleDimensions

from tuner.cli.terminal import abilities, output


class ErrorConsole(Console):
    """Asks the terminal behind stderr for its size, each time: rich asks stdin's first.

    A width of 0, which `COLUMNS=0` and some terminals give, is no width.
    """

    def __init__(self) -> None:
        """Write to stderr."""
        super().__init__(file=output.ERRORS, highlight=False)

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        return ConsoleDimensions(*abilities.size())

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        """Leave the size to the terminal."""
