"""Reads the bytes and texts of label files, whatever encoding their tool wrote."""

from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.files import decode_text

MAX_LABEL_BYTES = 64 * 2**20
"""Of one image's label file: labelme keeps the picture itself in it."""
TODO = "Export the labels anew."


def read_label_bytes(path: Path) -> bytes:
    """Return the bytes of one image's label file, or raise an InputError."""
    try:
        size = path.stat().st_size
        if size > MAX_LABEL_BYTES:
            raise InputError("a label file", f"{size} bytes", path, TODO)
        return path.read_bytes()
    except OSError as error:
        raise InputError("a readable file", str(error), path, TODO) from error


def read_label_text(path: Path) -> str:
    """Return the text of one image's label file, or raise an InputError."""
    try:
        return decode_text(read_label_bytes(path))
    except UnicodeDecodeError as error:
        raise InputError("a text in UTF-8 or UTF-16", str(error), path, TODO) from error
