"""Opens image files that may be broken or hostile: size is checked before decoding, truncation is refused."""

import io
import itertools
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from dd_livm_core.camera_files.orientation import (
    ORIENTATION,
    UPRIGHT,
    checked_orientation,
    orientation_of,
    turn_upright,
    upright_size_px,
)
from dd_livm_core.errors import InputError

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it also logs what it raises

MAX_FILE_BYTES = 256 * 2**20
"""Several times any drone camera's file; read whole into memory."""
MAX_PIXELS = 120_000_000
"""Above any drone camera's frame, so that a decompression bomb is refused from its header alone."""
MIN_SIDE_PX = 8
"""Of one block of a JPEG: no camera's frame is smaller."""
START_OF_SCAN, MAX_SCANS = b"\xff\xda", 100
"""A progressive JPEG has about ten, with its thumbnails; each of a bomb's thousands costs a pass over all pixels."""
MAX_PAGES = 64
"""Pages of a TIFF that are looked at; a thermal frame has few beside it."""

BROKEN = (OSError, ValueError, SyntaxError, MemoryError, EOFError, IndexError)
"""What Pillow raises on broken files."""
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
FORMATS = ("JPEG", "PNG", "TIFF")
"""What drones write. Pillow's other readers are left out: some of them start programs."""


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    InputError
        It is missing, empty or larger than `MAX_FILE_BYTES`.
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


def picture_size_px(content: bytes, path: Path) -> tuple[int, int]:
    """Return (width, height) of an upright image in pixels, from its header; ``path`` is only named in errors.

    Raises
    ------
    InputError
        It is no image.
    """
    if content[:4] not in TIFF_STARTS:
        return shown_size_px(_open_header(content, path), content)
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            page = frame_of(tiff, path)[1]
            height, width = page.shape[:2]
            return upright_size_px((int(width), int(height)), page_orientation(page))
    except InputError:
        raise
    except Exception as error:  # tifffile raises many kinds on broken files
        raise InputError("an image file", str(error)[:200], path, "Copy the file anew.") from error


def page_orientation(page: Any) -> int:
    """Return the orientation of a TIFF's page, 1 to 8."""
    return checked_orientation(page.tags.valueof(ORIENTATION))


def frame_of(tiff: tifffile.TiffFile, path: Path) -> tuple[int, Any]:
    """Return number and page of a TIFF's one frame.

    Thumbnails are passed over, and so are 8-bit pictures beside a frame of 16 bits or more.

    Raises
    ------
    InputError
        There are several frames, as in a recorded sequence, or none.
    """
    pages: list[tuple[int, Any]] = list(enumerate(itertools.islice(tiff.pages, MAX_PAGES)))
    pages = [(number, page) for number, page in pages if not page.is_reduced] or pages[:1]
    numbers = [
        found for found in pages if found[1].dtype is not None and found[1].dtype.itemsize > 1
    ]
    frames = numbers or pages[:1]
    if len(frames) != 1:
        raise InputError(
            "a TIFF of one frame", f"{len(frames)}", path, "Split it into one file per exposure."
        )
    return frames[0]


def open_image(content: bytes, path: Path) -> Image.Image:
    """Return an image whose header is read and whose size is checked; pixels are not decoded yet.

    Raises
    ------
    InputError
        No image of a drone: another format, too small, too large, or a JPEG of too many scans.
    """
    image = _open_header(content, path)
    scans = content.count(START_OF_SCAN) if image.format in ("JPEG", "MPO") else 0
    if scans > MAX_SCANS:
        raise InputError(f"at most {MAX_SCANS} scans", f"{scans}", path, "This is no drone image.")
    return image


def _open_header(content: bytes, path: Path) -> Image.Image:
    """Return an image whose header is read and whose size is checked."""
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise InputError("an image file", str(error)[:200], path, "Copy the file anew.") from error
    width, height = image.size
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE_PX:
        raise InputError(
            f"{MIN_SIDE_PX} px a side to {MAX_PIXELS // 10**6} megapixels",
            f"{width} x {height}",
            path,
            "This is no drone image.",
        )
    return image


def checked_size_px(content: bytes, path: Path) -> tuple[int, int]:
    """Return (width, height) in pixels of the upright image that `upright_pixels` accepts; raise where it would.

    It takes half of that work for a JPEG: all entropy-coded data is read, which is where damage shows, but the
    cosine transform is done at an eighth of the size, in grey.
    """
    return _checked(content, path, "L")[0]


def checked_thumbnail(content: bytes, path: Path) -> tuple[tuple[int, int], NDArray[np.uint8]]:
    """Return `checked_size_px` and the image as stored, a JPEG at an eighth of its size, as uint8 (h, w, 3) RGB."""
    size, image = _checked(content, path, "RGB")
    return size, _rgb_pixels(image, path)


def _checked(content: bytes, path: Path, mode: str) -> tuple[tuple[int, int], Image.Image]:
    """Return an image's upright size and the image, decoded at an eighth of its size where that is quicker."""
    image = open_image(content, path)
    size = shown_size_px(image, content)
    image.draft(mode, (1, 1))
    return size, _load(image, path)


def upright_pixels(content: bytes, path: Path) -> NDArray[np.uint8]:
    """Return the pixels of an image of 8 bits a channel as they are shown, uint8 (H, W, 3) RGB.

    Raises
    ------
    InputError
        As `open_image`, or the file is truncated or broken, or has more bits a channel.
    """
    image = open_image(content, path)
    orientation = _left_to_turn(image, content)
    return turn_upright(_rgb_pixels(_load(image, path), path), orientation)


def shown_size_px(image: Image.Image, content: bytes) -> tuple[int, int]:
    """Return (width, height) of an opened image when it is upright; ``content`` is its file's."""
    return upright_size_px(image.size, _left_to_turn(image, content))


def _left_to_turn(image: Image.Image, content: bytes) -> int:
    """Return the orientation that pixels still need to be turned by: Pillow turns TIFF upright itself."""
    return UPRIGHT if image.format == "TIFF" else orientation_of(content)


def _load(image: Image.Image, path: Path) -> Image.Image:
    """Decode an opened image and return it."""
    if image.mode.startswith(("I", "F")):
        raise InputError(
            "8 bits a channel", f"mode {image.mode}", path, "Export 16-bit frames as TIFF."
        )
    try:
        image.load()
    except BROKEN as error:
        raise _broken(error, path) from error
    return image


def _rgb_pixels(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    """Return a decoded image as uint8 (H, W, 3) RGB."""
    try:
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except BROKEN as error:
        raise _broken(error, path) from error


def grey(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return float32 (H, W): an infrared image (H, W) as it is, the luminance of an RGB one (H, W, 3) of 0 to 255."""
    if image.ndim == 3:
        return np.asarray(cv2.cvtColor(np.asarray(image, np.uint8), cv2.COLOR_RGB2GRAY), np.float32)
    return np.asarray(image, np.float32)


def _broken(error: Exception, path: Path) -> InputError:
    """Return the error for an image that does not decode."""
    found = f"a broken one ({str(error)[:150]})"
    return InputError("a whole image", found, path, "Copy the file anew.")
