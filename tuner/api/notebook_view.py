"""A run's progress in a notebook: one output that is written anew, never line below line."""

from __future__ import annotations

import html
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType

from tuner.cli.run_views.live import ABOVE_PANEL, screen
from tuner.cli.run_views.plain_lines import describe
from tuner.cli.run_views.progress import Progress
from tuner.cli.terminal.output import plain
from tuner.records.events import Event, Listener

# A notebook keeps, and a browser draws, each state that it is sent.
_SECONDS_BETWEEN = 1.0
_WIDTH = 100


def is_notebook() -> bool:
    """Whether this code runs in a notebook's kernel."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def show_text(text: str) -> None:
    """Show lines as one output of the cell."""
    from IPython.display import display

    display(_bundle(text), raw=True)


@contextmanager
def notebook_view(time_budget_s: float | None = None) -> Iterator[Listener]:
    """A listener that keeps one output up to date, once a second at most.

    It writes when something happens, and so in the thread that runs the cell: an output that
    another thread writes may end up below another cell.

    Args:
        time_budget_s: Seconds for the whole run; None sets no limit.
    """
    shown = _Output(Progress(time_budget_s))
    try:
        yield shown.hear
    finally:
        shown.draw()


class _Output:
    """Notices, and below them how far the run is."""

    def __init__(self, progress: Progress) -> None:
        from IPython.display import display

        self._progress, self._began_s, self._drawn_s = progress, time.monotonic(), 0.0
        self._notices: list[str] = []
        self._handle: Any = display(_bundle("Reading the data"), raw=True, display_id=True)

    def hear(self, event: Event) -> None:
        self._progress.hear(event)
        if isinstance(event, ABOVE_PANEL):
            self._notices.append(plain(describe(event, self._progress)))
        if time.monotonic() - self._drawn_s >= _SECONDS_BETWEEN:
            self.draw()

    def draw(self) -> None:
        self._drawn_s = time.monotonic()
        panel = screen(self._progress, self._drawn_s - self._began_s, is_roomy=True)
        text = "\n".join([*self._notices, _plain_text(panel)])
        self._handle.update(_bundle(text), raw=True)


def _plain_text(panel: RenderableType) -> str:
    """A view without escape codes, which rich writes in a notebook even to a string."""
    file = io.StringIO()
    console = Console(
        file=file, width=_WIDTH, color_system=None, force_terminal=False, force_jupyter=False
    )
    console.print(panel)
    return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").splitlines())


def _bundle(text: str) -> dict[str, str]:
    """What a notebook shows, and what is left of it as plain text."""
    return {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"}
