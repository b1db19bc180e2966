"""A next step, and the changes of a command line that several rules propose."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.records.results import Results
from tuner.report.command_lines import rerun


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """Something to do next.

    Attributes:
        action: What to do.
        fact: What calls for it, with its numbers.
        code: What to paste; empty where no command does it.
        items: What the fact speaks of, each as its name, which is untrusted text, and the rest of
            its line.
    """

    action: str
    fact: str
    code: str = ""
    items: tuple[tuple[str, str], ...] = ()


def with_more(results: Results, key: str, count: int) -> str:
    """The run again with a greater number.

    The quick preset states its own, whatever the space says.
    """
    if results.run.preset == "quick":
        return rerun(results.run.command, "--preset", "standard", without=(key,))
    return rerun(results.run.command, "--set", f"{key}={count}", without=(key,))


def new_run(results: Results) -> str:
    """A sentence on what the command of `with_more` starts."""
    preset = ", with the standard preset" if results.run.preset == "quick" else ""
    return f"This command starts a new run: it searches again{preset}."


def remedy(reason: str) -> tuple[str, tuple[str, ...]] | None:
    """What to do, and the options that do it, where a training lacked memory or time.

    None for other reasons.
    """
    if "memory" in reason.lower():
        return "Run one training at a time, so that it has more memory", ("--workers", "1")
    if reason.startswith("no step in"):
        return "Give slow trainings more time", ("--trial-timeout", "30m")
    return None
