"""Turns the colours of an infrared picture back into one value a pixel, from cold to hot.

The palette is found from the picture, by places where colour hardly changes: elsewhere JPEG blurs it. Of several ways
the first that fits is taken:

1. grey: the grey values as they are; 2. a palette of `palettes`: the place along its curve;
3. another palette whose brightness grows along it: brightness; where the picture's colours draw one line whose
   direction is plain: the place along that line;
4. colours on a line of no plain direction: no values; colours on no line, as in a photograph: brightness.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.colour_line import LEAST_SHARE, Colours, draw_line, known_order
from dd_livm_core.camera_files.palettes import (
    LUMINANCE,
    SIDE,
    STEPS,
    cell_colours,
    cell_numbers,
    curve,
    lookup,
    names,
    nearest_steps,
    weighted_ycc,
)
from dd_livm_core.camera_files.scale_bar import find_scale_bar

BLACK_HOT = "black hot"
GREY_CHROMA = 10
"""Of 8-bit Cb and Cr around 128: less is grey, as a camera's slightly tinted grey is."""
GREY_SHARE = 0.9
"""Of the pixels of a grey picture; the others are coloured marks."""
MARK_CHROMA = 24
"""Of a mark in a grey picture; less is the blur around it."""
FLAT_LUMA = 8
"""Between the pixels of a block of 2 x 2: in flatter ones JPEG's coarser chroma belongs to their luma."""
LEAST_FLAT_SHARE = 0.1
"""Of the blocks, the flattest, that count whatever their luma does."""

MATCH = 20
"""Distance of a colour from a palette's curve that noise explains (see `palettes.weighted_ycc`)."""
LEAST_MATCHED, LEAST_MATCHED_COLOURS, MOST_MEAN = 0.93, 0.94, 10.0
"""Share of flat pixels and of their colours, each counted once, within `MATCH`; mean distance (at most 3 `MATCH`).

Chosen on real frames of eight plants: 0.98, 0.97 and 6.6 or better for frames as a camera wrote them.
"""
NEARLY_AS_NEAR = 3.0
"""Mean distance by which a palette that fits nearly as well is worse than the best."""
MONOTONE_CHROMA, LEAST_MONOTONE, LEAST_MONOTONE_COLOURS = 12.0, 0.9, 0.855
"""Chroma around the median chroma of equal luma; share of flat pixels, and of their colours, within it.

Real frames as a camera wrote them: 0.95 and 0.93 or more; made brighter or darker later: all but three of 30 pass.
Palettes that bend back: one of both is lower, unless the picture shows only a part of them.
"""
MOST_CELLS = 200
"""Of 16³, that hold nine tenths of the flat colours of a palette; 380 and more in pictures of random colours."""
CELLS_PER_COLOUR = 0.25
"""Most cells that hold nine tenths of the colours of a palette where there are few colours."""
OFF_PALETTE = 40
"""Distance from the curve of a burnt-in mark's colours; edges of objects stay below in most pixels."""
PLAIN_WHITE, OFF_PALETTE_PLAIN = 248, 12
"""Least of a white mark's channels (black ones mirror it), and its distance from the curve."""
LEAST_MARK_PX = 10
"""Of the 25 pixels around one, to be a mark and no noise."""
LEAST_MARKED = 1e-3
"""Share of all pixels; below it nothing is taken for a mark."""
MOST_MARKED = 0.2
"""Share of all pixels off the palette; above it they are no marks, and the palette is another one."""

Kind = Literal["grey", "known", "bright", "line", "bent", "photograph"]


@dataclass(frozen=True)
class PictureValues:
    """What the colours of an infrared picture say.

    Attributes
    ----------
    kind
        One of the ways in the order of the module's text.
    palette
        Name of a palette of `palettes`, ``grey``, or ``black hot`` where a burnt-in scale says so; else None.
    values
        float32 (H, W), 0 to 255; None for the kind ``bent``.
    marks
        Where burnt-in marks were, whose pixels take the mean of what is around them: bool (H, W), or None without any.
    """

    kind: Kind
    palette: str | None
    values: NDArray[np.float32] | None
    marks: NDArray[np.bool_] | None = None


def read_picture(rgb: Colours) -> PictureValues:
    """Return the values of an infrared picture, uint8 (H, W, 3) RGB, by its own palette."""
    chroma = _chroma(rgb)
    if _is_grey(chroma):
        return _without_marks(
            "grey", "grey", rgb.astype(np.float32) @ LUMINANCE, chroma > MARK_CHROMA
        )
    flat = _flat_colours(rgb)
    kind, palette = _kind_of(flat)
    if kind == "known" and palette is not None:
        distance, steps = (table[names().index(palette)] for table in lookup())
        return _along(rgb, curve(palette), distance, steps, PictureValues(kind, palette, None))
    if kind != "bent":
        return PictureValues(kind, None, rgb.astype(np.float32) @ LUMINANCE)
    line = draw_line(_cell_shares(flat))
    order = 0 if line is None else known_order(line)
    if line is None or order == 0:
        return PictureValues("bent", None, None)
    line = line if order > 0 else line[::-1]
    return _along(rgb, line, *nearest_steps(line), PictureValues("line", None, None))


def surely_has_values(thumbnail: Colours) -> bool:
    """Return whether a picture has values, as far as a copy of an eighth of its size tells, uint8 (h, w, 3) RGB.

    False calls for `read_picture`.
    """
    return _is_grey(_chroma(thumbnail)) or _kind_of(thumbnail.reshape(-1, 3))[0] != "bent"


def _kind_of(colours: Colours) -> tuple[Kind, str | None]:
    """Return kind and palette of colours (n, 3) that are not grey; ``bent`` where only `draw_line` can tell."""
    counts = _cell_shares(colours)
    if _cells_of_most(counts) > min(MOST_CELLS, len(colours) * CELLS_PER_COLOUR):
        return "photograph", None
    # each colour once: a palette must hold the rare ones, too
    once = (counts >= LEAST_SHARE).astype(np.float64)
    once /= max(once.sum(), 1.0)
    known = _known_palette(counts, once)
    if known is not None:
        return "known", known
    monotone = _monotone_share(counts) >= LEAST_MONOTONE
    if monotone and _monotone_share(once) >= LEAST_MONOTONE_COLOURS:
        return "bright", None
    return "bent", None


def _along(
    rgb: Colours,
    colours: Colours,
    distance: NDArray[np.uint8],
    steps: NDArray[np.uint8],
    found: PictureValues,
) -> PictureValues:
    """Return what was found, with places along a curve of colours (256, 3), by its `palettes.nearest_steps`."""
    cells = cell_numbers(rgb)
    away = distance[cells].reshape(rgb.shape[:2])
    plain = (rgb.min(axis=2) >= PLAIN_WHITE) | (rgb.max(axis=2) <= 255 - PLAIN_WHITE)
    off = (away > OFF_PALETTE) | (plain & (away > OFF_PALETTE_PLAIN))
    values = _places(rgb, steps[cells], colours)
    return _without_marks(found.kind, found.palette, values, off)


def _without_marks(
    kind: Kind,
    palette: str | None,
    values: NDArray[np.float32],
    off: NDArray[np.bool_],
) -> PictureValues:
    """Return values with marks and scale filled, and turned over where the scale says that low values are hot."""
    share = float(off.mean())
    if kind != "grey" and share > MOST_MARKED:
        return PictureValues("bent", None, None)
    scale = find_scale_bar(values)
    marks = np.zeros(off.shape, bool) if scale is None else scale.where
    if share >= LEAST_MARKED:
        near = cv2.boxFilter(off.astype(np.uint8), -1, (5, 5), normalize=False)
        dense = off & (near >= LEAST_MARK_PX)
        if dense.mean() >= LEAST_MARKED:
            marks = marks | cv2.dilate(dense.astype(np.uint8), np.ones((5, 5))).astype(bool)
    if not marks.any():
        return PictureValues(kind, palette, values)
    filled = _fill(values, marks)
    if scale is not None and not scale.high_is_hot:
        turned = BLACK_HOT if kind == "grey" else f"inverted {palette or 'palette'}"
        return PictureValues(kind, turned, 255 - filled, marks)
    return PictureValues(kind, palette, filled, marks)


def _known_palette(counts: NDArray[np.float64], once: NDArray[np.float64]) -> str | None:
    """Return the name of the palette that holds a picture's colours, or None.

    None, too, where two hold them that run against each other there, as red to yellow does in jet and in hot metal.
    """
    cells = np.flatnonzero(counts)
    distance, steps = (table[:, cells] for table in lookup())
    counts, once = counts[cells], once[cells]
    mean = np.minimum(distance, 3 * MATCH) @ counts
    holds = distance <= MATCH
    fits = (mean <= MOST_MEAN) & (holds @ counts >= LEAST_MATCHED)
    fits &= holds @ once >= LEAST_MATCHED_COLOURS
    if not fits.any():
        return None
    best = int(np.argmin(np.where(fits, mean, np.inf)))
    others = np.flatnonzero(fits & (mean <= mean[best] + NEARLY_AS_NEAR))
    used = once > 0
    centred = steps[others][:, used].astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    own = steps[best][used].astype(np.float64)
    if (centred @ (own - own.mean()) < 0).any():
        return None
    return names()[best]


def _chroma(rgb: Colours) -> NDArray[np.uint8]:
    """Return how far each pixel is from grey: the larger one of 8-bit Cb and Cr, around 128."""
    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    away = cv2.absdiff(ycc, np.full_like(ycc, 128))
    return np.asarray(cv2.max(away[..., 1], away[..., 2]), np.uint8)


def _is_grey(chroma: NDArray[np.uint8]) -> bool:
    """Return whether a picture of this distance from grey (see `_chroma`) is grey but for marks."""
    return float((chroma <= GREY_CHROMA).mean()) >= GREY_SHARE


def _cell_shares(colours: Colours) -> NDArray[np.float64]:
    """Return the share of colours (n, 3) in each cell of the colour cube."""
    return np.bincount(cell_numbers(colours), minlength=SIDE**3) / len(colours)


def _flat_colours(rgb: Colours) -> Colours:
    """Return the mean colours (n, 3) of those blocks of 2 x 2 pixels that are flat, at least `LEAST_FLAT_SHARE`."""
    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    even = np.ascontiguousarray(rgb[:height, :width])
    luma = cv2.cvtColor(even, cv2.COLOR_RGB2GRAY)
    corners = [luma[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    spread = np.maximum.reduce(corners) - np.minimum.reduce(corners)
    means = cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    flat = spread <= FLAT_LUMA
    if flat.mean() < LEAST_FLAT_SHARE:
        flat = spread <= np.quantile(spread, LEAST_FLAT_SHARE)
    return np.asarray(means[flat], np.uint8)


def _monotone_share(counts: NDArray[np.float64]) -> float:
    """Return the share of colours whose chroma is near the median chroma of their luma, over cells of the cube."""
    used = np.flatnonzero(counts)
    weights, ycc = counts[used], weighted_ycc(cell_colours()[used])
    level = (ycc[:, 0] / (256 / SIDE)).astype(np.intp)
    away = np.zeros(len(used))
    for channel in (1, 2):
        order = np.lexsort((ycc[:, channel], level))
        total = np.cumsum(weights[order])
        ends = np.searchsorted(level[order], np.arange(SIDE + 1))
        before = np.concatenate([[0.0], total])[ends]
        middle = np.searchsorted(total, (before[:-1] + before[1:]) / 2)
        median = ycc[order[np.minimum(middle, len(used) - 1)], channel]
        away = np.hypot(away, ycc[:, channel] - median[level])
    return float(weights[away <= MONOTONE_CHROMA].sum())


def _cells_of_most(counts: NDArray[np.float64]) -> int:
    """Return how many cells of a cube of half the cells a side hold nine tenths of the colours."""
    half = SIDE // 2
    coarse = counts.reshape(half, 2, half, 2, half, 2).sum(axis=(1, 3, 5)).ravel()
    return int(np.searchsorted(np.cumsum(np.sort(coarse)[::-1]), 0.9)) + 1


def _places(rgb: Colours, steps: NDArray[np.uint8], colours: Colours) -> NDArray[np.float32]:
    """Return places along a curve, 0 to 255, by the foot of the perpendicular near each pixel's step of it."""
    at = weighted_ycc(colours)
    reach = 3
    ahead, behind = np.arange(STEPS) + reach, np.arange(STEPS) - reach
    ahead, behind = np.minimum(ahead, STEPS - 1), np.maximum(behind, 0)
    tangent = (at[ahead] - at[behind]) / (ahead - behind)[:, None]
    square = (tangent**2).sum(axis=1, keepdims=True)
    slope = np.where(square > 0.01, tangent / np.maximum(square, 0.01), 0)  # 0 where colours stay
    # the same in RGB, so that pixels need not be turned into luma and chroma
    slope_rgb = (slope @ weighted_ycc(np.eye(3, dtype=np.float32)).T).astype(np.float32)
    start = np.arange(STEPS, dtype=np.float32) - (slope * at).sum(axis=1)
    moved = np.einsum("ij,ij->i", rgb.reshape(-1, 3).astype(np.float32), slope_rgb[steps])
    moved += start.astype(np.float32)[steps]
    moved = np.clip(moved, steps - np.float32(2 * reach), steps + np.float32(2 * reach))
    return np.asarray(np.clip(moved, 0, STEPS - 1).reshape(rgb.shape[:2]), np.float32)


def _fill(values: NDArray[np.float32], marks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the values with those of marks replaced by the mean of the others around, wider where there are none."""
    filled, open_ = values.copy(), marks.copy()
    weight = (~marks).astype(np.float32)
    known, side = np.where(marks, np.float32(0), values), 9
    while open_.any() and side < 4 * max(values.shape):
        there = cv2.blur(weight, (side, side), borderType=cv2.BORDER_CONSTANT)
        sums = cv2.blur(known, (side, side), borderType=cv2.BORDER_CONSTANT)
        now = open_ & (there > 0)
        filled[now] = sums[now] / there[now]
        open_ &= ~now
        side *= 4
    return filled
