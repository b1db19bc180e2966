"""The trackers that you asked for; `tuner.space.trackers.TRACKERS` lists them by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.util import find_spec

from tuner.errors import ConfigurationError
from tuner.extras import install_line
from tuner.space.trackers import TRACKERS
from tuner.trackers.tracked import TrackedRun
from tuner.trackers.tracker import Tracker


def check_installed(names: Iterable[str]) -> None:
    """Refuse trackers that cannot work here, before anything is read or made.

    Args:
        names: Of `TRACKERS`.

    Raises:
        ConfigurationError: For the first that needs a package that is not installed.
    """
    for name in names:
        entry = TRACKERS[name]
        missing = [module for module in entry.needs if find_spec(module) is None]
        if missing:
            line = install_line(entry.extra) if entry.extra else f"python -m pip install {name}"
            raise ConfigurationError(
                f"{name} tracks runs in {entry.title}, but {missing[0]} is not installed",
                f"{line} (the extra `{entry.extra or name}`), or leave {name} out.",
            )


def make_tracker(name: str, run: TrackedRun) -> Tracker:
    """Make a tracker of a run; it is not open yet."""
    module, _, class_name = TRACKERS[name].target.partition(":")
    tracker: Tracker = getattr(importlib.import_module(module), class_name)(run)
    return tracker
