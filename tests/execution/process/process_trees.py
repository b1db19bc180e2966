"""Workers that start processes, for tests without a framework.

`python -m tests.execution.process.process_trees HOW`.

Each prints the numbers of the processes that it has started, and waits.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading

_SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]
_LARGE = [
    sys.executable,
    "-c",
    "import time; data = b'x' * 2**26; print(len(data), flush=True); time.sleep(120)",
]
_GONE = f"import subprocess; print(subprocess.Popen({_SLEEP!r}, stdout=subprocess.DEVNULL).pid)"


def tell(*numbers: object) -> None:
    """Print them on a line of standard error."""
    sys.stderr.write(" ".join(map(str, numbers)) + "\n")


def be_worker() -> None:
    """A child, one in a session of its own, one whose parent ends, and one of 64 MiB."""
    from tuner.execution.process.process_tree import adopt_orphans

    adopt_orphans()
    children = [subprocess.Popen(_SLEEP), subprocess.Popen(_SLEEP, start_new_session=True)]
    orphan = subprocess.run(
        [sys.executable, "-c", _GONE], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    large = subprocess.Popen(_LARGE, stdout=subprocess.PIPE)
    assert large.stdout
    large.stdout.readline()
    tell(*[child.pid for child in children], orphan.strip(), large.pid)
    threading.Event().wait()


def be_worker_of_driver() -> None:
    """A worker as a driver starts it, with a child of its own."""
    from tuner.execution.process.task_server import WorkerSettings, _set_up

    _set_up(WorkerSettings())
    child = subprocess.Popen(_SLEEP)
    tell(multiprocessing.current_process().pid, child.pid)
    threading.Event().wait()


def be_driver() -> None:
    """A driver with one worker."""
    process = multiprocessing.get_context("spawn").Process(target=be_worker_of_driver, daemon=True)
    process.start()
    process.join()


if __name__ == "__main__":
    {"worker": be_worker, "driver": be_driver}[sys.argv[1]]()
