"""Opening image files that nobody vouches for: size checked before decoding, truncation refused."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from dd_livm_core.errors import InputError

MAX_FILE_BYTES = 256 * 2**20
MAX_PIXELS = 120_000_000
"""Above any drone camera's frame; a decompression bomb is refused from its header alone."""


def read_bytes(path: Path) -> bytes:
    """Read a file whole, within the size limit.

    Raises
    ------
    InputError
        It is missing, empty or too large.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError("a readable file", str(error), path, "Check the path.") from error
    if not 0 < size <= MAX_FILE_BYTES:
        raise InputError(
            f"1 byte to {MAX_FILE_BYTES // 2**20} MiB", f"{size} bytes", path, "Copy the file anew."
        )
    return path.read_bytes()


def open_image(content: bytes, path: Path) -> Image.Image:
    """Parse an image's header and check its size; pixels are not decoded yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(content))
        except (
            UnidentifiedImageError,
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:
            raise InputError(
                "an image file", str(error)[:200], path, "Copy the file anew."
            ) from error
    width, height = image.size
    if width * height > MAX_PIXELS or min(width, height) < 8:
        raise InputError(
            f"8 px a side to {MAX_PIXELS // 10**6} megapixels",
            f"{width} x {height}",
            path,
            "This is no drone image.",
        )
    return image


def decode(image: Image.Image, mode: str, path: Path) -> NDArray[np.uint8]:
    """Decode all pixels, in the given Pillow mode; a truncated file is refused."""
    try:
        image.load()
        return np.asarray(image.convert(mode))
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError, IndexError) as error:
        raise InputError(
            "a whole image", f"a broken one ({str(error)[:150]})", path, "Copy the file anew."
        ) from error
