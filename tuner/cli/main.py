"""The command line: errors become two lines and an exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from types import FrameType

import click

from tuner.cli.commands import cli
from tuner.cli.output import ERRORS, plain
from tuner.errors import TunerError


def main() -> None:
    """Run a command and exit: 0 done, 1 internal failure, 2 usage, 4 data, 5 no trial succeeded, 130/143 stopped."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        code = cli.main(standalone_mode=False, prog_name="python -m tuner")
    except TunerError as error:
        ERRORS.write(f"{plain(str(error))}\n")
        return error.exit_code
    except click.ClickException as error:
        error.show(ERRORS)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        ERRORS.write("Interrupted. Trials that had ended are in the run's trials.csv.\n")
        return 130
    except _TerminatedError:
        ERRORS.write("Terminated. Trials that had ended are in the run's trials.csv.\n")
        return 143
    except Exception:
        ERRORS.write(f"{traceback.format_exc()}\nThis is a mistake in tuner, not in what you typed.\n")
        return 1
    return code if isinstance(code, int) else 0


class _TerminatedError(BaseException):
    """SIGTERM arrived."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _TerminatedError
