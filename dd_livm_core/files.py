"""Writes files whole or not at all, knows them by their content, and reads texts whatever the machine's locale."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path`` to write to, which replaces ``path`` in one move when the block ends.

    A block that fails leaves ``path`` as it was and nothing else; a killed process also leaves the hidden file,
    ``.<name>.<process>.tmp``. Two threads of a process must not write the same ``path`` at once. An error of the disk
    names ``path``, as writing alone does not.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, or in what its byte order mark says; the mark is no part of the text.

    Raises
    ------
    UnicodeDecodeError
        It is in another encoding.
    """
    return decode_text(path.read_bytes())


def decode_text(content: bytes) -> str:
    """Return bytes as a text, as `read_text`; UTF-16 and UTF-32 are known without a mark, too."""
    return content.decode(json.detect_encoding(content))


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Write JSON with one value a line, whole or not at all."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
