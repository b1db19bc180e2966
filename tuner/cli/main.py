"""The command line: errors become two lines and an exit code."""

from __future__ import annotations

import gc
import io
import os
import sys
import traceback

import click

from tuner.cli.commands import cli
from tuner.cli.terminal.output import say
from tuner.cli.terminal.signals import INTERRUPTED, TERMINATED, TerminatedError, catch_signals
from tuner.errors import TunerError
from tuner.store.files.whole_files import is_disk_full


def main() -> None:
    """Run a command and exit with one of the documented codes.

    They are 0 done, 1 internal failure, 2 usage, 3 no improvement though required, or an
    unexpected score, 4 data, 5 no trial succeeded, 130/143 stopped.
    """
    # Before NumPy is loaded. Beside workers that have a core each, its own threads would only wait
    # for one another: proposals of a Bayesian search take three times as much of the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    catch_signals()
    code = _exit_code()
    # At its end Python collects garbage among all objects of a framework, which takes a second.
    gc.freeze()
    sys.exit(code)


def _exit_code() -> int:
    try:
        code = cli.main(standalone_mode=False, prog_name="python -m tuner")
    except TunerError as error:
        say(str(error))
        code = error.exit_code
    except click.ClickException as error:
        say(_usage(error))
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("Interrupted.")
        code = INTERRUPTED
    except TerminatedError:
        say("Terminated.")
        code = TERMINATED
    except Exception as error:
        say(_disk_full(error) if is_disk_full(error) else _mistake())
        code = 1
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.ctx:
        # Click offers what merely shares letters.
        from tuner.space.documents.spelling import nearest_of

        shown = [
            p for p in error.ctx.command.get_params(error.ctx) if not getattr(p, "hidden", False)
        ]
        near = nearest_of(
            error.option_name, [name for p in shown for name in (*p.opts, *p.secondary_opts)]
        )
        error = click.NoSuchOption(
            error.option_name, possibilities=[near] if near else [], ctx=error.ctx
        )
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip()


def _disk_full(error: BaseException) -> str:
    where = getattr(error, "filename", None)
    return (
        f"{f'{where}: ' if where else ''}no space is left on the disk; what was written before is"
        " kept.\n  Fix: free space, or write to another disk, and repeat the command."
    )


def _mistake() -> str:
    return f"{traceback.format_exc()}\nThis is a bug in tuner, not a mistake in your command."
