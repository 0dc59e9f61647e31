"""A full disk, or one that may not be written: told before much is written, and named where it happens."""

import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from dd_livm_core.errors import InputError
from tasks.workspace import Workspace

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SAYS_FULL = (*(os.strerror(code).lower() for code in FULL), "database or disk is full")
"""What libraries make of it: safetensors and SQLite have errors of their own."""
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
SAYS_FORBIDDEN = (os.strerror(errno.EROFS).lower(), "attempt to write a readonly database")
SPARE_B = 200 * 2**20
"""For everything beside the aligned stores: databases, weights, pages; several times what a retraining leaves."""
PROBE_B = 2**20
"""Less than any flow writes."""
TODO = (
    "Free some room, then run the same command again: what is finished is kept. Everything below "
    ".dd_livm/steps can be made again."
)


def require_space(folder: Path, needed_b: int) -> None:
    """Check that a folder's disk has room for so many bytes and `SPARE_B` more.

    Raises
    ------
    InputError
        It has not.
    """
    free_b = shutil.disk_usage(folder).free
    if free_b < needed_b + SPARE_B:
        raise InputError(
            f"room for {_megabytes(needed_b + SPARE_B)}", f"{_megabytes(free_b)}", folder, TODO
        )


def require_writable(workspace: Workspace) -> None:
    """Check that a workspace takes a file, which Prefect's server would find out after minutes.

    Raises
    ------
    InputError
        Its disk is full or read-only.
    """
    probe = workspace.derived / f".probe.{os.getpid()}"
    with explain_full_disk(workspace):
        workspace.derived.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(bytes(PROBE_B))
        finally:
            probe.unlink(missing_ok=True)


@contextmanager
def explain_full_disk(workspace: Workspace) -> Iterator[None]:
    """Turn an error of a full or read-only disk, whichever library raised it, into one that says so.

    Raises
    ------
    InputError
        The disk ran full, or refused to be written, while the block ran.
    """
    try:
        yield
    except Exception as error:
        told = explain_disk_error(error, workspace.root)
        if isinstance(error, InputError) or told is None:
            raise
        raise told from error


def explain_disk_error(error: BaseException, folder: Path) -> InputError | None:
    """Return what an error of a full or read-only disk says to a user, or None for any other error.

    Parameters
    ----------
    folder
        Named where the error does not say its file.
    """
    if cause := _find_cause(error, FULL, SAYS_FULL):
        file = _file_of(cause, folder)
        there = next(above for above in (file, *file.absolute().parents) if above.exists())
        found = f"{_megabytes(shutil.disk_usage(there).free)} free ({str(cause)[:300]})"
        return InputError("room on the disk", found, file, TODO)
    if cause := _find_cause(error, FORBIDDEN, SAYS_FORBIDDEN):
        return InputError(
            "a file or folder that may be read and written",
            str(cause)[:300],
            _file_of(cause, folder),
            "Change its rights, or work in a copy on another disk.",
        )
    return None


def _file_of(cause: BaseException, folder: Path) -> Path:
    """Return the file that an error names, else the folder."""
    name = getattr(cause, "filename", None)
    return Path(name) if isinstance(name, str) else folder


def _find_cause(
    error: BaseException | None, codes: Collection[int], words: Collection[str]
) -> BaseException | None:
    """Return the error among a chain of causes that has one of some codes or says one of some texts, or None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in codes:
            return error
        if any(text in str(error).lower() for text in words):
            return error
        error = error.__cause__ or error.__context__
    return None


def _megabytes(size_b: int) -> str:
    return f"{size_b / 1e6:,.0f} MB"
