"""Where and how trainings run, as asked for."""

from __future__ import annotations

from dataclasses import dataclass

# Where trainings can run; `make_executor` makes each.
EXECUTORS = ("process", "inline", "ray")

# Tracing a large network takes minutes.
TRIAL_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionOptions:
    """Where and how trainings run.

    Attributes:
        executor: `process`, `inline` or `ray`.
        workers: Trainings at a time; None takes what the machine has.
        trial_timeout_s: Seconds without a step after which a training has failed; None waits for
            ever.
        worker_memory_bytes: Memory of one worker; None shares out the machine's.
        ray_address: Of a running Ray cluster; None starts Ray on this machine.
        gpus_per_trial: Share of a GPU that a training takes on a Ray cluster.
    """

    executor: str = EXECUTORS[0]
    workers: int | None = None
    trial_timeout_s: float | None = TRIAL_TIMEOUT_S
    worker_memory_bytes: int | None = None
    ray_address: str | None = None
    gpus_per_trial: float = 0.0
