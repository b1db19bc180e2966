"""Command lines that resume a run, or repeat it with something changed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import islice

_FLAGS = ("--search-only", "--nested", "--require-improvement")


def resume_command(command: str) -> str:
    """The command line that resumes what this one began."""
    return f"{command} --resume"


def rerun(command: str, *added: str, without: Sequence[str] = ()) -> str:
    """A run's command line with options added, and those that they replace left out.

    A gate, `--require-improvement`, is left out too: it belongs to a pipeline, and not every run
    can be held to it.

    Args:
        command: As `RunSummary.command` has it.
        added: Words at its end; an option among them replaces that of the same name, but for
            `--set`, which adds up.
        without: Options that are left out, with their values; also keys of `--set`, such as
            `retrain.epochs`.
    """
    dropped = {
        "--require-improvement",
        *without,
        *(word for word in added if word.startswith("--") and word != "--set"),
    }
    words, kept = iter(shlex.split(command)), list[str]()
    for word in words:
        option, equals, value = word.partition("=")
        has_value = option in dropped or option == "--set"
        given = [word] if equals or option in _FLAGS or not has_value else [word, *islice(words, 1)]
        setting = (value if equals else given[-1]).partition("=")[0].strip()
        if option not in dropped and not (option == "--set" and setting in dropped):
            kept += given
    return shlex.join([*kept, *added])


def has_option(command: str, option: str) -> bool:
    """Whether a command line has an option, such as `--limit`."""
    return any(word.partition("=")[0] == option for word in shlex.split(command))
