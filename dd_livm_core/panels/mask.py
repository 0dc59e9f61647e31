"""Where the panels are in an infrared or a visible image.

Panels are the large, smooth, straight-edged regions: warmer than grass, cooler than sand, so that brightness
alone does not tell. Several brightness bands are tried, and the one is taken whose regions fill their own
rectangles and whose inner edges keep to two perpendicular directions, as the frames of modules do.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.panels.frame_direction import fourfold_mean

Mask = NDArray[np.bool_]
LEAST_BELIEF, RED_SCALE = 0.05, 8.0
MIN_SHARE = 0.004
"""Least share of the frame that a panel region covers."""


def _smoothed(infrared: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the image scaled to 0..255 by its percentiles and its local roughness."""
    finite = np.nan_to_num(infrared, nan=float(np.nanmedian(infrared)))
    low, high = np.percentile(finite, (0.5, 99.5))
    scaled = np.clip((finite - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.float32)
    fine = cv2.GaussianBlur(scaled, (0, 0), 1.0)
    roughness = cv2.boxFilter(np.abs(fine - cv2.GaussianBlur(fine, (0, 0), 2.5)), -1, (7, 7))
    return fine, np.asarray(roughness, np.float32)


def _cuts(image: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """Split brightness 0..255 into classes (k-means on the histogram); return the edges between and around them."""
    values = image[::4, ::4].reshape(-1, 1).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.5)
    cv2.setRNGSeed(0)
    labels = np.zeros((len(values), 1), np.int32)
    _, _, centres = cv2.kmeans(values, classes, labels, criteria, 2, cv2.KMEANS_PP_CENTERS)
    middle = np.sort(centres.ravel())
    return np.concatenate([[-1.0], (middle[:-1] + middle[1:]) / 2, [256.0]]).astype(np.float32)


def _bands(fine: NDArray[np.float32], red: NDArray[np.float32] | None) -> list[Mask]:
    """Return what may be panels by brightness: infrared classes, and what is dark in red and not in shadow."""
    bands: list[Mask] = []
    for classes in (2, 3, 4):
        bands += [(fine > low) & (fine <= high) for low, high in pairwise(_cuts(fine, classes))]
    if red is not None:
        warm = [fine > _cuts(fine, classes)[1] for classes in (2, 3)]
        for classes in (2, 3):
            dark = (red > 0) & (red <= _cuts(red, classes)[1])
            bands += [dark & part for part in warm]
    return bands


def _regions(
    band: Mask,
    roughness: NDArray[np.float32],
    fine: NDArray[np.float32],
    field: NDArray[np.complex64],
) -> tuple[Mask, float]:
    """Keep a band's panel-like regions; return them and how panel-like they are in all."""
    closed = cv2.morphologyEx(band.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    count, regions, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    kept = np.zeros(band.shape, bool)
    worth = 0.0
    for number in range(1, count):
        x, y, w, h, area = stats[number]
        if area < MIN_SHARE * band.size:
            continue
        region = regions[y : y + h, x : x + w] == number
        contour, _ = cv2.findContours(
            region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        outline = max(contour, key=cv2.contourArea)
        hull = cv2.convexHull(outline)
        (_, sides, _) = cv2.minAreaRect(outline)
        fill = area / max(float(sides[0] * sides[1]), 1.0)
        solid = area / max(float(cv2.contourArea(hull)), 1.0)
        inner = cv2.erode(region.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        rough = float(np.median(roughness[y : y + h, x : x + w][inner])) if inner.any() else 99.0
        straight = abs(fourfold_mean(field[y : y + h, x : x + w][inner]))
        score = straight * min(fill, 1.0) * min(solid, 1.0) / (1.0 + rough / 8.0)
        if (
            straight > 0.25
            and fill > 0.55
            and solid > 0.7
            and rough < 12
            and not _dark(fine, region, (x, y, w, h))
        ):
            kept[y : y + h, x : x + w] |= region
            worth += score * area
    return kept, worth / band.size


def _dark(fine: NDArray[np.float32], region: Mask, box: tuple[int, int, int, int]) -> bool:
    """Tell shadows: a featureless region at the very bottom of the range."""
    x, y, w, h = box
    values = fine[y : y + h, x : x + w][region]
    return bool(np.median(values) < 25 and np.std(values) < 12)


def _dark_in_red(red: NDArray[np.float32], mask: Mask) -> float:
    """Return how far a region believed to be panels is so by the visible image: from ``LEAST_BELIEF`` to 1.

    Silicon under its coating absorbs red light more than any ground in the sun does.
    """
    seen = red > 0
    if not (seen & mask).any() or not (seen & ~mask).any():
        return 1.0
    contrast = float(np.median(red[seen & ~mask]) - np.median(red[seen & mask]))
    return LEAST_BELIEF + (1 - LEAST_BELIEF) / (1 + float(np.exp(-contrast / RED_SCALE)))


def panel_mask_infrared(
    infrared: NDArray[np.float32], visible: NDArray[np.uint8] | None = None
) -> Mask:
    """Return the pixels of panels in an infrared image, bool (H, W); empty where there are none.

    Parameters
    ----------
    infrared
        float32 (H, W), °C or grey.
    visible
        uint8 (H, W, 3) RGB on the infrared grid, black where it has no pixels: tells panels from ground that is
        as warm and as straight.
    """
    red = None if visible is None else np.asarray(cv2.blur(visible[..., 0], (5, 5)), np.float32)
    fine, roughness = _smoothed(np.asarray(infrared, np.float32))
    return _most_panel_like(_bands(fine, red), fine, roughness, red)


def _most_panel_like(
    bands: list[Mask],
    fine: NDArray[np.float32],
    roughness: NDArray[np.float32],
    red: NDArray[np.float32] | None,
) -> Mask:
    """Return the regions of the band that are most like panels, closed over frames and hotspots."""
    gx, gy = cv2.Scharr(fine, cv2.CV_32F, 1, 0), cv2.Scharr(fine, cv2.CV_32F, 0, 1)
    field = (gx + 1j * gy).astype(np.complex64)
    best, best_worth = np.zeros(fine.shape, bool), 0.0
    for band in bands:
        mask, worth = _regions(band, roughness, fine, field)
        if red is not None and mask.any():
            worth *= _dark_in_red(red, mask)
        if worth > best_worth:
            best, best_worth = mask, worth
    # frames between modules and hot or cold spots inside belong to the panel
    filled = cv2.morphologyEx(best.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((11, 11), np.uint8))
    contours, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    small = [c for c in contours if cv2.contourArea(c) > MIN_SHARE * filled.size]
    whole = cv2.drawContours(np.zeros_like(filled), small, -1, 1, cv2.FILLED)
    return np.asarray(whole, bool)
