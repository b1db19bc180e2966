"""Where and how trainings run, as asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorEntry:
    """An executor as the command line may name it.

    Attributes:
        target: The function that makes it, as module:function; `make_executor` says what it takes.
        help: Where it trains, in the words of the command line.
        needs: A package that must be installed; its module and its extra have the same name in
            lower case. Empty for none.
        warm_up: A function, as module:function, that is called before the data are read; empty for
            none.
        is_inline: Whether it trains in the process that asks for trainings, one at a time.
        is_remote: Whether it trains on machines whose devices this process cannot see.
    """

    target: str
    help: str
    needs: str = ""
    warm_up: str = ""
    is_inline: bool = False
    is_remote: bool = False


DEFAULT_EXECUTOR = "process"

# Where trainings can run: the one list. It names the code of each, so that reading the command line
# imports none of it.
EXECUTORS: Mapping[str, ExecutorEntry] = {
    DEFAULT_EXECUTOR: ExecutorEntry(
        target="tuner.execution.process.process_executor:make",
        help="worker processes",
        warm_up="tuner.execution.process.start:warm_up",
    ),
    "inline": ExecutorEntry(
        target="tuner.execution.inline:make", help="this process", is_inline=True
    ),
    "ray": ExecutorEntry(
        target="tuner.execution.ray.ray_executor:make",
        help="a Ray cluster",
        needs="Ray",
        is_remote=True,
    ),
}

# Tracing a large network takes minutes.
TRIAL_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionOptions:
    """Where and how trainings run.

    Attributes:
        executor: One of `EXECUTORS`.
        workers: Trainings at a time; None takes what the machine has.
        trial_timeout_s: Seconds without a step after which a training has failed; None waits for
            ever.
        worker_memory_bytes: Memory of one worker; None shares out the machine's.
        ray_address: Of a running Ray cluster; None starts Ray on this machine.
        gpus_per_trial: Share of a GPU that a training takes on a Ray cluster.
    """

    executor: str = DEFAULT_EXECUTOR
    workers: int | None = None
    trial_timeout_s: float | None = TRIAL_TIMEOUT_S
    worker_memory_bytes: int | None = None
    ray_address: str | None = None
    gpus_per_trial: float = 0.0

    @property
    def entry(self) -> ExecutorEntry:
        """The executor's line of the list."""
        return EXECUTORS[self.executor]


def executor_help() -> str:
    """All executors, as one sentence."""
    *others, last = (entry.help for entry in EXECUTORS.values())
    return f"Where trainings run: {', '.join(others)}, or {last}."
