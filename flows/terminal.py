"""What a terminal shows of a flow that ends on bad input: the message, and no traceback."""

import logging

from dd_livm_core.errors import InputError

LOGGERS = (None, "prefect.flow_runs", "prefect.task_runs")
"""Where Prefect hangs its handlers: the terminal's on the root, the page's on its own."""


def drop_traceback(record: logging.LogRecord) -> bool:
    """Let every record pass; take the traceback off one that reports an :class:`InputError`.

    The message says what to do; where in our code it was noticed helps no user.
    """
    if record.exc_info and isinstance(record.exc_info[1], InputError):
        record.msg, record.args = str(record.exc_info[1]), ()
        record.exc_info = record.exc_text = None
    return True


def show_input_errors_plainly() -> None:
    """Keep tracebacks of bad input out of Prefect's logs; call it once Prefect has been imported."""
    for name in LOGGERS:
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(drop_traceback)
