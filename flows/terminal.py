"""What a terminal shows: of a flow that ends on bad input the message and no traceback, and of any text what it can."""

import io
import logging
import sys

from dd_livm_core.errors import InputError

LOGGERS = (None, "prefect.flow_runs", "prefect.task_runs")
"""Loggers that Prefect adds handlers to: the terminal's to the root, its page's to the other two."""


def drop_traceback(record: logging.LogRecord) -> bool:
    """Take the traceback off a log record of an :class:`InputError`, and return True, so that every record passes.

    The message says what to do; the place in the code does not help a user.
    """
    if record.exc_info and isinstance(record.exc_info[1], InputError):
        record.msg, record.args = str(record.exc_info[1]), ()
        record.exc_info = record.exc_text = None
    return True


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
