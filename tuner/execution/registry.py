"""Every executor by name; an executor is its module and one entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorEntry:
    """An executor, as far as it is described before it is made.

    Attributes:
        make: `module:function`; the function takes the `ExecutionOptions`, the `Reports`, a folder
            for files that workers share, and the log for workers' prints or None.
        warm_up: `module:function` that lets workers load the framework early; None for nothing.
        extra: The extra whose package it needs, named as the package is imported; None for none.
        is_inline: Whether the driver itself trains, one task at a time with one thread.
        is_remote: Whether trainings run on other machines, which differ from this one.
    """

    make: str
    warm_up: str | None = None
    extra: str | None = None
    is_inline: bool = False
    is_remote: bool = False


# The first one is the default.
EXECUTORS: Mapping[str, ExecutorEntry] = MappingProxyType(
    {
        "process": ExecutorEntry(
            make="tuner.execution.process.process_executor:make",
            warm_up="tuner.execution.process.start:warm_up",
        ),
        "inline": ExecutorEntry(make="tuner.execution.inline:make", is_inline=True),
        "ray": ExecutorEntry(
            make="tuner.execution.ray.ray_executor:make", extra="ray", is_remote=True
        ),
    }
)
