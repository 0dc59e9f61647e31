"""Finds where a radiometric raster lies on the picture that its file shows.

Some drone cameras (seen of DJI's XT2, XT S and H20N) save a raster and a picture of different moments: the drone has
moved between them. The picture is in colours of a palette, so edges are compared by their direction only.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.images import grey

Shift = tuple[float, float]
"""(right, down) in pixels."""
MAX_SHARE = 0.125
"""Largest offset that is looked for, as a share of each side: twice the largest of 63 real files, 34 of 512 px."""
LEAST_SIDE_PX = 32
"""Of a raster that is looked at: less leaves too few pixels for a sure peak. Chosen."""
LEAST_SCORE, CLEARLY_BEST = 0.5, 1.25
"""Correlation of a sure peak, and how many times the next peak's it is at least. 63 real files reach 0.67 and 1.38;
rasters against the picture of another file (1,122 tries) 0.39, but for two that overlap: 0.63 and 1.03."""
WORKING_PX = 320
"""Longer side at most of the images that are compared: places are still good to a quarter of a pixel of 640."""
APART_PX = 4
"""Peaks are the highest within so many pixels."""
LEAST_OFFSET_PX = 1.0
"""Less is none: files whose raster lies right measure up to 0.35 px, and labels are drawn no finer."""
CUT_PERCENT = 0.1
"""Of the raster's lowest and highest values, so that a dead pixel or the sun is no edge above all others."""


def find_raster_offset(raster: NDArray[np.uint16], picture: NDArray[np.uint8]) -> Shift | None:
    """Return how far right and down on the picture things lie of where the raster has them, in raster pixels.

    It is (0, 0) where that is less than a pixel, and None where the two resemble each other nowhere surely.

    Parameters
    ----------
    raster
        (H, W), upright.
    picture
        uint8 (h, w, 3) RGB, upright, of the raster's shape enlarged or reduced.

    Source: orientation correlation, Fitch et al., BMVC 2002; the peak's place to a part of a pixel by a parabola.
    """
    if min(raster.shape) < LEAST_SIDE_PX:
        return None
    reduction = max(1.0, max(raster.shape) / WORKING_PX)
    height, width = (round(side / reduction) for side in raster.shape)
    low, high = np.percentile(raster, (CUT_PERCENT, 100 - CUT_PERCENT))
    template, scene = (
        _edge_directions(
            np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        )
        for image in (np.clip(raster, low, high).astype(np.float32), grey(picture))
    )
    down, right = round(MAX_SHARE * height), round(MAX_SHARE * width)
    inner = np.ascontiguousarray(template[down : height - down, right : width - right])
    score = np.asarray(cv2.matchTemplate(scene, inner, cv2.TM_CCORR_NORMED), np.float32)
    highest = cv2.dilate(score, np.ones((2 * APART_PX + 1, 2 * APART_PX + 1), np.uint8))
    peaks = np.sort(score[score >= highest])
    if peaks[-1] < LEAST_SCORE or (len(peaks) > 1 and peaks[-1] < CLEARLY_BEST * peaks[-2]):
        return None
    y, x = (int(place) for place in np.unravel_index(np.argmax(score), score.shape))
    found = (
        reduction * (x + _vertex(score[y], x) - right),
        reduction * (y + _vertex(score[:, x], y) - down),
    )
    return found if max(abs(found[0]), abs(found[1])) >= LEAST_OFFSET_PX else (0.0, 0.0)


def _edge_directions(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the doubled angles of the edges as vectors, float32 (H, W, 2), short where an edge is weak."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1.0)
    across, down = (cv2.Scharr(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    energy = across**2 + down**2
    typical = max(float(energy.mean()), float(np.finfo(np.float32).tiny))
    doubled = np.dstack([across**2 - down**2, 2 * across * down])
    return np.asarray(doubled / (energy + np.float32(typical))[..., None], np.float32)


def _vertex(values: NDArray[np.float32], place: int) -> float:
    """Return how far from a maximum's place the parabola through it and its neighbours is highest, -0.5 to 0.5."""
    if not 0 < place < len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[place - 1 : place + 2])
    bend = before - 2 * here + after
    return 0.0 if bend == 0 else 0.5 * (before - after) / bend
