"""Where the panels are in an infrared image.

Panels are large, smooth, straight-edged regions: warmer than grass, cooler than sand, so that brightness alone does
not find them. Several brightness bands are tried. The band is taken whose regions fill their own rectangles and whose
inner edges keep to two perpendicular directions, as the frames of PV modules do.

The thresholds were set by hand, none is fitted; `python -m benchmarks.alignment` measures the registration that
rests on them.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.panels.frame_direction import fourfold_mean

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

MIN_SHARE = 0.004
"""Least share of the frame that a panel region covers."""
LEAST_STRAIGHTNESS = 0.25
"""Least length of the edges' fourfold mean: 0 for grass, near 1 for clean frames."""
LEAST_FILL = 0.55
"""Least share of its smallest rectangle that a region fills: tables are rectangles, which the border may cut."""
LEAST_SOLIDITY = 0.7
"""Least share of its convex hull that a region fills: tables have no bays, ground has."""
MOST_ROUGHNESS, ROUGHNESS_SCALE = 12.0, 8.0
"""Median local contrast, in levels of 255, above which a region is no panel, and at which its score is halved."""
SHADOW_LEVEL, SHADOW_SPREAD = 25.0, 12.0
"""Below both, in levels of 255, a region is featureless and at the bottom of the range: a shadow."""
LEAST_BELIEF, RED_SCALE = 0.05, 8.0
"""Least factor on a band's score by red light, and the scale in grey levels of the contrast that raises it to 1."""


def panel_mask_infrared(infrared: Floats, visible: NDArray[np.uint8] | None = None) -> Mask:
    """Return the pixels of panels in an infrared image, bool (H, W); all False where there are none.

    Parameters
    ----------
    infrared
        float32 (H, W), °C or grey.
    visible
        uint8 (H, W, 3) RGB on the infrared grid, black where it has no pixels. It separates panels from ground that
        is as warm and as straight.
    """
    red = None if visible is None else np.asarray(cv2.blur(visible[..., 0], (5, 5)), np.float32)
    fine, roughness = _scale_and_roughness(np.asarray(infrared, np.float32))
    best = _most_panel_like_band(_brightness_bands(fine, red), fine, roughness, red)
    # Frames between PV modules, and hot or cold spots inside, belong to the panel.
    filled = cv2.morphologyEx(best.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((11, 11), np.uint8))
    contours, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    large = [c for c in contours if cv2.contourArea(c) > MIN_SHARE * filled.size]
    whole = cv2.drawContours(np.zeros_like(filled), large, -1, 1, cv2.FILLED)
    return np.asarray(whole, bool)


def _scale_and_roughness(infrared: Floats) -> tuple[Floats, Floats]:
    """Return the image scaled to 0..255 by its percentiles, and its local contrast in the same levels."""
    finite = np.nan_to_num(infrared, nan=float(np.nanmedian(infrared)))
    low, high = np.percentile(finite, (0.5, 99.5))
    scaled = np.clip((finite - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.float32)
    fine = cv2.GaussianBlur(scaled, (0, 0), 1.0)
    roughness = cv2.boxFilter(np.abs(fine - cv2.GaussianBlur(fine, (0, 0), 2.5)), -1, (7, 7))
    return fine, np.asarray(roughness, np.float32)


def _class_edges(image: Floats, classes: int) -> Floats:
    """Split brightness 0..255 into classes by k-means; return the ``classes + 1`` edges between and around them."""
    values = image[::4, ::4].reshape(-1, 1).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.5)
    cv2.setRNGSeed(0)
    labels = np.zeros((len(values), 1), np.int32)
    _, _, centres = cv2.kmeans(values, classes, labels, criteria, 2, cv2.KMEANS_PP_CENTERS)
    middle = np.sort(centres.ravel())
    return np.concatenate([[-1.0], (middle[:-1] + middle[1:]) / 2, [256.0]]).astype(np.float32)


def _brightness_bands(fine: Floats, red: Floats | None) -> list[Mask]:
    """Return masks (H, W) that may be panels: infrared classes, and what is dark in red without being cold."""
    bands: list[Mask] = []
    for classes in (2, 3, 4):
        bands += [
            (fine > low) & (fine <= high) for low, high in pairwise(_class_edges(fine, classes))
        ]
    if red is not None:
        warm = [fine > _class_edges(fine, classes)[1] for classes in (2, 3)]
        for classes in (2, 3):
            dark = (red > 0) & (red <= _class_edges(red, classes)[1])
            bands += [dark & part for part in warm]
    return bands


def _most_panel_like_band(
    bands: list[Mask], fine: Floats, roughness: Floats, red: Floats | None
) -> Mask:
    """Return the panel-like regions of the band that scores highest; all False where none does."""
    gx, gy = cv2.Scharr(fine, cv2.CV_32F, 1, 0), cv2.Scharr(fine, cv2.CV_32F, 0, 1)
    gradient = (gx + 1j * gy).astype(np.complex64)
    best, best_score = np.zeros(fine.shape, bool), 0.0
    for band in bands:
        mask, score = _panel_like_regions(band, fine, roughness, gradient)
        if red is not None and mask.any():
            score *= _belief_by_red(red, mask)
        if score > best_score:
            best, best_score = mask, score
    return best


def _panel_like_regions(
    band: Mask, fine: Floats, roughness: Floats, gradient: NDArray[np.complex64]
) -> tuple[Mask, float]:
    """Return a band's panel-like regions, bool (H, W), and the mean over the frame of their scores."""
    closed = cv2.morphologyEx(band.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    count, regions, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    kept = np.zeros(band.shape, bool)
    total = 0.0
    for number in range(1, count):
        x, y, w, h, area = stats[number]
        if area < MIN_SHARE * band.size:
            continue
        place = slice(y, y + h), slice(x, x + w)
        region = regions[place] == number
        score = _region_score(region, fine[place], roughness[place], gradient[place])
        if score > 0:
            kept[place] |= region
            total += score * area
    return kept, total / band.size


def _region_score(
    region: Mask, fine: Floats, roughness: Floats, gradient: NDArray[np.complex64]
) -> float:
    """Return how panel-like one region is, 0 to 1; 0 where it misses a threshold. All arrays are its window."""
    contours, _ = cv2.findContours(
        region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    outline, area = max(contours, key=cv2.contourArea), int(region.sum())
    (_, sides, _) = cv2.minAreaRect(outline)
    fill = area / max(float(sides[0] * sides[1]), 1.0)
    solidity = area / max(float(cv2.contourArea(cv2.convexHull(outline))), 1.0)
    inner = cv2.erode(region.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    if not inner.any():
        return 0.0
    rough = float(np.median(roughness[inner]))
    straight = abs(fourfold_mean(gradient[inner]))
    panel_like = (
        straight > LEAST_STRAIGHTNESS
        and fill > LEAST_FILL
        and solidity > LEAST_SOLIDITY
        and rough < MOST_ROUGHNESS
        and not _is_shadow(fine[region])
    )
    if not panel_like:
        return 0.0
    return straight * min(fill, 1.0) * min(solidity, 1.0) / (1.0 + rough / ROUGHNESS_SCALE)


def _is_shadow(values: Floats) -> bool:
    """Return whether a region's pixels, 0 to 255, are featureless and at the bottom of the range."""
    return bool(np.median(values) < SHADOW_LEVEL and np.std(values) < SHADOW_SPREAD)


def _belief_by_red(red: Floats, mask: Mask) -> float:
    """Return how far the visible image agrees that a mask is panels, from ``LEAST_BELIEF`` to 1.

    Silicon under its coating absorbs red light more than any ground in the sun does.
    """
    seen = red > 0
    if not (seen & mask).any() or not (seen & ~mask).any():
        return 1.0
    contrast = float(np.median(red[seen & ~mask]) - np.median(red[seen & mask]))
    return LEAST_BELIEF + (1 - LEAST_BELIEF) / (1 + float(np.exp(-contrast / RED_SCALE)))
