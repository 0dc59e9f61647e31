"""Show a flow that ends on bad input by its message alone, without a traceback."""

import logging

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
