"""Seeded damage to texts, as by editors, scripts, cut downloads and disks."""

import re

import numpy as np

from tests.camera_files.mutations import mutate

KINDS = (
    "a digit",
    "a number",
    "a character lost",
    "a character more",
    "a mark of the format",
    "a word",
    "a line lost",
    "a line twice",
    "cut",
    "bytes",
)
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
WORD = re.compile(rb"[A-Za-z_]{3,}")
MARKS = b"\"'<>{}[]:,/&= \n"
NO_NUMBERS = (b"NaN", b"Infinity", b"-1", b"1e9", b"null", b'""', b"0", b"1,5", b"", b"0x10")


def mutate_text(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return the kind of damage and the damaged bytes."""
    kind = str(rng.choice(KINDS))
    data = bytearray(content)
    at = int(rng.integers(len(data)))
    if kind == "bytes":
        return mutate(content, rng)
    if kind == "cut":
        del data[at:]
    elif kind == "a digit":
        digits = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
        if digits:
            data[int(rng.choice(digits))] = 48 + int(rng.integers(10))
    elif kind == "a number":
        _replace(data, NUMBER, NO_NUMBERS[int(rng.integers(len(NO_NUMBERS)))], rng)
    elif kind == "a character lost":
        del data[at]
    elif kind == "a character more":
        data[at:at] = bytes([int(rng.integers(32, 127))])
    elif kind == "a mark of the format":
        marks = [place for place, byte in enumerate(content) if byte in MARKS]
        place = int(rng.choice(marks))
        data[place : place + 1] = MARKS[int(rng.integers(len(MARKS))) :][:1]
    elif kind == "a word":
        found = list(WORD.finditer(content))
        if found:
            word = found[int(rng.integers(len(found)))]
            data[int(rng.integers(*word.span()))] = int(rng.integers(97, 123))
    else:
        lines = content.splitlines(keepends=True)
        number = int(rng.integers(len(lines)))
        lines[number : number + 1] = 2 * [lines[number]] if kind == "a line twice" else []
        return kind, b"".join(lines)
    return kind, bytes(data)


def _replace(
    data: bytearray, what: re.Pattern[bytes], new: bytes, rng: np.random.Generator
) -> None:
    """Put a text in place of one of its parts."""
    found = list(what.finditer(bytes(data)))
    if found:
        start, end = found[int(rng.integers(len(found)))].span()
        data[start:end] = new
