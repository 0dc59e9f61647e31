"""What a terminal shows: of a flow that ends on bad input the message and no traceback, and of any text what it can."""

import io
import logging
import sys
from pathlib import Path

from dd_livm_core.errors import InputError

LOGGERS = (None, "prefect.flow_runs", "prefect.task_runs")
"""Loggers that Prefect adds handlers to: the terminal's to the root, its page's to the other two."""


def drop_traceback(record: logging.LogRecord) -> bool:
    """Take the traceback off a log record of an error that `plain_error` knows; return True: every record passes.

    The message says what to do; the place in the code does not help a user.
    """
    told = plain_error(record.exc_info[1]) if record.exc_info and record.exc_info[1] else None
    if told is not None:
        record.msg, record.args = str(told), ()
        record.exc_info = record.exc_text = None
    return True


def plain_error(error: BaseException) -> InputError | None:
    """Return an error that a user can do something about: bad input, a full or a read-only disk; else None."""
    if isinstance(error, InputError):
        return error
    from tasks.disk_space import explain_disk_error

    return explain_disk_error(error, Path.cwd())


def show_input_errors_plainly() -> None:
    """Keep tracebacks of bad input out of Prefect's logs; call this after Prefect is imported."""
    for name in LOGGERS:
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(drop_traceback)


def show_what_the_terminal_can() -> None:
    """Print a question mark for a character that the terminal's encoding lacks, such as Δ in Windows' own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
