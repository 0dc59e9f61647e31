"""The palettes that thermal cameras and their programs save pictures with: colour curves from cold to hot.

Most are given by a few of their colours, with straight lines between them. They were read off real pictures (iron:
DJI's XT2, beside its temperatures; teal to red: an M30T, beside its counts) or off the colours that firmware of FLIR
sensors shows. The others are OpenCV's colour maps, which programs for thermograms draw with.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue, by ITU-R BT.601."""
STEPS = 256
"""Colours of a curve: what a palette of 8 bits has."""
BITS = 5
"""Of each channel in the colour cube in which curves are looked up."""
SIDE = 1 << BITS
CHROMA_WEIGHT = 0.6
"""Of chroma against luma in distances of colours: JPEG halves its resolution and quantises it more coarsely."""

Stops = tuple[tuple[float, tuple[int, int, int]], ...]


def _even(*colours: tuple[int, int, int]) -> Stops:
    """Return colours as stops at even distances."""
    return tuple((i / (len(colours) - 1), colour) for i, colour in enumerate(colours))


BY_STOPS: dict[str, Stops] = {
    "iron": _even(
        (16, 16, 20),
        (25, 15, 92),
        (72, 15, 138),
        (120, 15, 148),
        (158, 18, 142),
        (195, 42, 100),
        (216, 82, 45),
        (230, 130, 18),
        (234, 172, 16),
        (236, 208, 62),
        (235, 228, 165),
        (235, 235, 225),
    ),
    "ironbow": _even(
        (0, 0, 0),
        (31, 0, 118),
        (96, 1, 132),
        (153, 4, 139),
        (191, 13, 132),
        (216, 46, 75),
        (231, 85, 29),
        (242, 130, 12),
        (249, 182, 16),
        (255, 227, 39),
        (255, 255, 255),
    ),
    "rainbow": _even(
        (0, 3, 74),
        (0, 50, 134),
        (0, 79, 187),
        (0, 105, 220),
        (4, 131, 205),
        (22, 153, 120),
        (83, 177, 43),
        (151, 200, 5),
        (215, 214, 3),
        (244, 202, 10),
        (255, 163, 22),
        (255, 99, 39),
        (251, 30, 60),
        (248, 59, 96),
        (254, 144, 136),
        (255, 233, 208),
    ),
    "rainbow of full colours": _even(
        (128, 0, 255),
        (0, 0, 255),
        (0, 128, 255),
        (0, 255, 255),
        (0, 255, 0),
        (255, 255, 0),
        (255, 128, 0),
        (255, 0, 0),
    ),
    "double rainbow": _even(
        (18, 15, 18),
        (120, 34, 98),
        (109, 70, 183),
        (63, 99, 233),
        (42, 120, 180),
        (14, 152, 81),
        (180, 189, 18),
        (194, 138, 19),
        (178, 77, 35),
        (174, 76, 103),
        (186, 114, 178),
        (195, 150, 238),
        (106, 170, 211),
        (27, 172, 190),
        (110, 183, 104),
        (187, 216, 14),
        (236, 190, 28),
        (235, 115, 52),
        (227, 56, 61),
        (233, 162, 166),
        (235, 232, 235),
    ),
    "arctic": _even(
        (15, 16, 146),
        (15, 15, 220),
        (15, 54, 239),
        (24, 111, 238),
        (36, 160, 236),
        (54, 227, 232),
        (67, 215, 215),
        (88, 164, 165),
        (96, 117, 116),
        (123, 102, 87),
        (175, 101, 52),
        (233, 101, 14),
        (236, 150, 12),
        (235, 200, 12),
        (235, 216, 104),
        (235, 230, 194),
    ),
    "lava": _even(
        (16, 16, 16),
        (29, 45, 86),
        (43, 73, 152),
        (20, 97, 159),
        (14, 112, 153),
        (14, 126, 143),
        (14, 136, 134),
        (70, 97, 126),
        (121, 57, 118),
        (158, 44, 84),
        (186, 36, 56),
        (220, 47, 46),
        (237, 68, 38),
        (237, 100, 12),
        (236, 150, 12),
        (236, 196, 12),
        (235, 214, 90),
        (235, 235, 235),
    ),
    "medical": tuple(
        stop
        for i, colour in enumerate(
            (
                (36, 36, 198),
                (70, 71, 238),
                (25, 172, 193),
                (14, 158, 13),
                (15, 15, 123),
                (237, 65, 197),
                (238, 28, 28),
                (236, 152, 93),
                (230, 125, 12),
                (236, 196, 37),
            )
        )
        for stop in ((i / 10, colour), ((i + 0.98) / 10, colour))
    ),
    "glowbow": _even(
        (16, 16, 16),
        (81, 22, 28),
        (145, 29, 41),
        (198, 39, 45),
        (218, 66, 30),
        (236, 96, 13),
        (237, 150, 12),
        (236, 200, 12),
        (235, 218, 116),
        (235, 235, 235),
    ),
    "sepia": _even((0, 0, 0), (90, 65, 40), (170, 130, 85), (225, 195, 150), (255, 245, 225)),
    "blue to red": _even(
        (19, 64, 206),
        (27, 125, 236),
        (41, 171, 221),
        (83, 225, 161),
        (120, 235, 117),
        (190, 206, 62),
        (232, 145, 32),
        (232, 90, 19),
        (190, 50, 15),
        (126, 28, 15),
    ),
    "teal to red": _even(
        (16, 16, 18),
        (25, 52, 52),
        (38, 100, 100),
        (52, 132, 120),
        (90, 158, 95),
        (150, 188, 62),
        (205, 214, 36),
        (235, 205, 20),
        (236, 165, 14),
        (235, 110, 12),
        (225, 50, 10),
    ),
}
BY_OPENCV = {
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "plasma": cv2.COLORMAP_PLASMA,
    "hot metal": cv2.COLORMAP_HOT,
    "jet": cv2.COLORMAP_JET,
    "turbo": cv2.COLORMAP_TURBO,
    "parula": cv2.COLORMAP_PARULA,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "bone": cv2.COLORMAP_BONE,
}


def curve(name: str) -> NDArray[np.uint8]:
    """Return a palette's colours from cold to hot, uint8 (`STEPS`, 3) RGB."""
    steps = np.arange(STEPS, dtype=np.uint8)
    if name in BY_OPENCV:
        return np.asarray(cv2.applyColorMap(steps[None], BY_OPENCV[name])[0, :, ::-1], np.uint8)
    stops = BY_STOPS[name]
    places, colours = [place for place, _ in stops], np.array([colour for _, colour in stops])
    at = np.linspace(0, places[-1], STEPS)
    channels = [np.interp(at, places, colours[:, channel]) for channel in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=1)), np.uint8)


def names() -> tuple[str, ...]:
    """Return the names of all palettes."""
    return (*BY_STOPS, *BY_OPENCV)


def weighted_ycc(rgb: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return colours (..., 3) of 0 to 255 as luma and weighted chroma, float32, whose distances count here."""
    values = np.asarray(rgb, np.float32)
    luma = values @ LUMINANCE
    blue = CHROMA_WEIGHT * 0.564 * (values[..., 2] - luma)
    red = CHROMA_WEIGHT * 0.713 * (values[..., 0] - luma)
    return np.stack([luma, blue, red], axis=-1)


def cell_numbers(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the cell of the colour cube of each colour (..., 3), as one list; blue runs fastest."""
    channels = (rgb >> (8 - BITS)).reshape(-1, 3).astype(np.int32)
    return (channels[:, 0] << 2 * BITS) | (channels[:, 1] << BITS) | channels[:, 2]


@lru_cache(maxsize=1)
def cell_colours() -> NDArray[np.float32]:
    """Return the middle of each cell of the colour cube, float32 (`SIDE`³, 3) RGB."""
    middle = (np.arange(SIDE, dtype=np.float32) + 0.5) * (256 / SIDE)
    red, green, blue = np.meshgrid(middle, middle, middle, indexing="ij")
    return np.stack([red.ravel(), green.ravel(), blue.ravel()], axis=1)


def nearest_steps(colours: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return each cell's distance to a curve (`STEPS`, 3), at most 255, and its nearest step; both uint8 (`SIDE`³,)."""
    from scipy.spatial import cKDTree  # here, as grey pictures and temperatures need none

    distance, step = cKDTree(weighted_ycc(colours)).query(weighted_ycc(cell_colours()))
    nearest = np.asarray(step, np.uint8)
    return np.minimum(np.rint(distance), 255).astype(np.uint8), nearest


@lru_cache(maxsize=1)
def lookup() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return `nearest_steps` of all palettes (see `names`), each uint8 (palettes, `SIDE`³).

    Computed once a process, in about half a second.
    """
    found = [nearest_steps(curve(name)) for name in names()]
    return np.stack([distance for distance, _ in found]), np.stack([step for _, step in found])
