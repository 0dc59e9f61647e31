"""Finds the application segments of a JPEG file, where cameras keep what is not the picture."""

from collections.abc import Iterator

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9


def application_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number, body) of the APPn segments before the picture, in file order.

    A cut or broken header ends the sequence without an error; who joins segments checks that all are there.
    """
    if content[:2] != b"\xff\xd8":
        return
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker in (START_OF_SCAN, END_OF_IMAGE):
            return
        length = int.from_bytes(content[position + 2 : position + 4], "big")
        body = content[position + 4 : position + 2 + length]
        if length < 2 or len(body) != length - 2:
            return
        if 0xE0 <= marker <= 0xEF:
            yield marker - 0xE0, body
        position += 2 + length
