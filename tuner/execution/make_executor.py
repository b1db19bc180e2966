"""The executor that you asked for; `execution_options.EXECUTORS` lists them by name."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuner.backend import framework
from tuner.cores import n_cores
from tuner.errors import ConfigurationError
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.executor import Executor, Reports
from tuner.extras import install_line


def check_installed(options: ExecutionOptions) -> None:
    """Refuse an executor that cannot work here, before anything is read or made.

    Raises:
        ConfigurationError: If the package that it needs is not installed.
    """
    name, needs = options.executor, options.entry.needs
    if needs and find_spec(needs.lower()) is None:
        raise ConfigurationError(
            f"--executor {name}: {needs} is not installed",
            f"{install_line(needs.lower())}, or leave --executor {name} out.",
        )


def warm_up(options: ExecutionOptions) -> None:
    """Let the workers' framework load while the data are read."""
    if options.entry.warm_up:
        _named(options.entry.warm_up)()


def prepare_this_process(options: ExecutionOptions) -> None:
    """Set up the devices of the process that asks for trainings: with one thread if it trains."""
    framework.start(1 if options.entry.is_inline else n_cores())


def make_executor(
    options: ExecutionOptions, reports: Reports, scratch: Path, log: Path | None = None
) -> Executor:
    """Make the executor.

    Args:
        options: What you asked for.
        reports: What the executor tells and asks.
        scratch: A folder for files that workers share.
        log: Where worker processes' prints are appended; None for nowhere.
    """
    executor: Executor = _named(options.entry.target)(options, reports, scratch, log)
    return executor


def _named(target: str) -> Any:
    """What a text of the form module:name stands for."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
