"""The temperature of the healthy panels of one infrared frame, robust to hotspots and frames.

The limits without a source were set by hand, none is fitted; tests/panels/test_excess.py states what they must keep
apart, `python -m benchmarks.augmentation` measures the hotspots found above the baseline.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SAMPLED_PIXELS = 20_000
"""Pixels that a statistic of the panels is taken from, at most: its time then does not grow with the camera."""
MAD_TO_STD = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution, 1/Φ⁻¹(3/4)."""
_JOIN_SHARE = 0.015
"""Panels closer than this share of the frame's longer side belong to one row."""
_SMALL_SHARE = 0.05
"""A region below this share of the largest one takes its level from the large ones."""
_EDGE_PX, _LEAST_INNER = 2, 0.2
"""Width of the blurred outer edge that is left out, and the share of the panels that must remain without it."""
_FRAME_PX = 100
"""An image with a shorter side is a crop: it shows no lens shading, and a hot side would pass for a slope."""
_WARM_ROW_SPREADS, _WARM_ROWS_SHARE = 3.0, 0.25
"""A row this many spreads above the level predicted from the other rows is faulty, unless such rows hold more than this
share of the panels (then it is the other side of a roof)."""
_ROWS_FOR_A_PLANE = 5
"""Fewer rows do not determine a plane robustly."""
_COLD_SPREADS, _COLD_SIDE_PX, _COLD_SHARE = 3.0, 7, 0.25
"""A part of a row is the healthy one if it lies this many spreads below the row's median, is wider than any frame, and
holds this share of the row."""
_ITERATIONS = 8
"""Steps of the reweighted fits (twice as many for the plane); a fixed number, so that time and result are the same."""
_TUKEY_SPREADS = 3.0
"""Residuals beyond this many spreads have no weight."""
_RIDGE = 1e-3
"""Share of the weights added to the normal equations: directions that the panels hardly span stay flat."""


def robust_spread(values: NDArray[np.floating[Any]]) -> float:
    """Return the standard deviation of the bulk of the values, in their unit; 0 for no values.

    It is the median absolute deviation of the tighter side of the median, times 1.4826. Hotspots widen the upper side
    and frames the lower one; the tighter side is the panels'.
    """
    if not len(values):
        return 0.0
    values = values[:: max(1, len(values) // SAMPLED_PIXELS)]
    departure = values - np.median(values)
    sides = [departure[departure >= 0], -departure[departure <= 0]]
    return MAD_TO_STD * min(float(np.median(side)) for side in sides)


def healthy_baseline(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the healthy panel's value under every pixel.

    It is one level per row of connected panels, plus a slope and a radial falloff common to the frame (viewing angle
    and lens shading), fitted by iteratively reweighted least squares (Beaton and Tukey 1974). A row that is warm as a
    whole gets the level predicted from the others; a row that is warm over most of its length gets that of the rest.

    Parameters
    ----------
    values
        (H, W) float32, finite: °C or grey.
    valid
        (H, W) bool: panel pixels, at least one.

    Returns
    -------
    (H, W) float32, same unit.
    """
    rows = _number_rows(valid)
    y, x = np.nonzero(_erode_edge(valid))
    step = max(1, len(y) // SAMPLED_PIXELS)
    # A fixed stride through the scan order is even over the frame, and the same every time.
    y, x = y[::step], x[::step]
    row, sample = rows[y, x], values[y, x].astype(np.float64)
    count = int(rows.max()) + 1
    levels = _row_levels(sample, row, count)
    if min(values.shape) < _FRAME_PX:
        return levels[rows].astype(np.float32)
    columns = _shading_columns(x, y, values.shape)
    shading, levels = _fit_shading(columns, sample, row, levels)
    flat = sample - columns @ shading
    grid_y, grid_x = np.mgrid[: values.shape[0], : values.shape[1]]
    surface = (_shading_columns(grid_x.ravel(), grid_y.ravel(), values.shape) @ shading).reshape(
        values.shape
    )
    spread = robust_spread(flat - levels[row])
    levels = _lower_warm_majorities(values - surface, np.where(valid, rows, 0), levels, spread)
    levels = _lower_warm_rows(flat, row, levels, columns[:, :2])
    return np.asarray(levels[rows] + surface, np.float32)


def _erode_edge(valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the panels without their cold, blurred outer edge; all where nothing would be left."""
    kernel = np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)
    inner = cv2.erode(valid.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return inner.astype(bool) if inner.sum() > _LEAST_INNER * valid.sum() else valid


def _number_rows(valid: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the rows of panels from 1, (H, W) int32; small pieces and the rest of the frame are 0."""
    side = max(3, round(_JOIN_SHARE * max(valid.shape))) | 1
    joined = cv2.morphologyEx(
        valid.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA].astype(float)
    area[0] = 0
    large = area >= _SMALL_SHARE * area.max()
    large[0] = False
    number = np.where(large, np.cumsum(large), 0).astype(np.int32)
    rows: NDArray[np.int32] = number[labels] if count > 1 else np.zeros(valid.shape, np.int32)
    return rows


def _row_levels(
    sample: NDArray[np.float64], row: NDArray[np.int32], count: int
) -> NDArray[np.float64]:
    """Return each row's median, (count,) float64; index 0 holds the median of all samples.

    ``sample`` and ``row``, both (n,), are the sampled pixels' values and the numbers of their rows.
    """
    overall = float(np.median(sample))
    return np.array(
        [overall]
        + [
            float(np.median(member)) if len(member := sample[row == k]) else overall
            for k in range(1, count)
        ]
    )


def _lower_warm_majorities(
    flat: NDArray[np.floating[Any]],
    rows: NDArray[np.int32],
    levels: NDArray[np.float64],
    spread: float,
) -> NDArray[np.float64]:
    """Return the rows' levels, where a row that an open string warms over most of its length gets that of the rest.

    Faults only warm, so a large even part that is colder is the healthy one, unless the other rows' levels lie nearer
    to that of the warm part: then the cold part lies in a shadow. A single row half in a shadow cannot be
    distinguished from one half warm.

    Parameters
    ----------
    flat
        (H, W): values without the shading.
    rows
        (H, W) int32: number of the row under each pixel, 0 off the panels.
    levels
        (rows + 1,): median of each row, as :func:`_row_levels` returns.
    spread
        Standard deviation of healthy pixels about their row's level.
    """
    cold = (rows > 0) & (flat - levels[rows] < -_COLD_SPREADS * spread)
    kernel = np.ones((_COLD_SIDE_PX, _COLD_SIDE_PX), np.uint8)
    large = cv2.morphologyEx(cold.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    area = np.bincount(rows.ravel(), minlength=len(levels)).astype(float)
    area[0] = 0
    share = np.bincount(rows[large], minlength=len(levels)) / np.maximum(area, 1)
    corrected = levels.copy()
    for k in np.flatnonzero(share >= _COLD_SHARE):
        part = flat[large & (rows == k)]
        level = float(np.median(part))
        others = np.where(np.arange(len(levels)) == k, 0, area)
        if others.sum() >= area[k] / 2:
            expected = _weighted_median(levels, others)
            if abs(levels[k] - expected) <= abs(level - expected):
                continue
        if robust_spread(part) <= 2 * spread:
            corrected[k] = level
    return corrected


def _lower_warm_rows(
    sample: NDArray[np.float64],
    row: NDArray[np.int32],
    levels: NDArray[np.float64],
    place: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the rows' levels, where a row that is warm as a whole (an open string) gets the predicted one.

    ``place``, (n, 2), holds x and y of the samples: levels may rise over the frame, as viewing angles do.
    """
    spread = robust_spread(sample - levels[row])
    expected = _predict_levels(levels, row, place)
    warm = levels > expected + _WARM_ROW_SPREADS * spread
    warm[0] = False
    others = (levels - expected)[row[~warm[row]]]
    # Where the others do not follow the prediction either, rows simply differ.
    follows = len(others) > 0 and float(np.sqrt(np.mean(others**2))) < spread
    if not follows or np.mean(warm[row]) > _WARM_ROWS_SHARE:
        return levels
    return np.where(warm, expected, levels)


def _predict_levels(
    levels: NDArray[np.float64], row: NDArray[np.int32], place: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the level predicted for each row: a plane through the rows' levels by least absolute deviations.

    It is their weighted median where the rows are few. Weights are the roots of the rows' samples.
    """
    mass = np.bincount(row, minlength=len(levels)).astype(float)
    seen = mass > 0
    total = np.stack([np.bincount(row, axis, len(levels)) for axis in place.T], axis=-1)
    centre = total / np.where(seen, mass, 1)[:, None]
    columns = np.column_stack([np.ones(len(levels)), centre])
    weight = np.sqrt(mass)
    expected = np.full(len(levels), _weighted_median(levels, weight))
    if seen.sum() < _ROWS_FOR_A_PLANE:
        return expected
    for _ in range(2 * _ITERATIONS):
        departure = np.abs(levels - expected)
        trust = weight / np.maximum(departure, 0.1 * np.median(departure[seen]) + 1e-9)
        normal = columns.T @ (columns * trust[:, None])
        normal += np.diag([0.0, _RIDGE, _RIDGE]) * trust.sum()
        expected = columns @ np.linalg.solve(normal, columns.T @ (levels * trust))
    return np.asarray(expected)


def _weighted_median(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return the least value at which half of the weight is reached."""
    return float(np.quantile(values, 0.5, weights=weight, method="inverted_cdf"))


def _shading_columns(
    x: NDArray[Any], y: NDArray[Any], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return slope in x, slope in y and radial falloff at each point, (..., 3), each about -1 to 1."""
    half = max(shape) / 2
    u, v = (x - (shape[1] - 1) / 2) / half, (y - (shape[0] - 1) / 2) / half
    return np.stack([u, v, u * u + v * v], axis=-1)


def _fit_shading(
    columns: NDArray[np.float64],
    sample: NDArray[np.float64],
    row: NDArray[np.int32],
    levels: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the common shading, (3,), and the rows' medians, (rows + 1,), fitted in turn.

    ``columns``, (n, 3), is what :func:`_shading_columns` returns at the samples.
    """
    shading: NDArray[np.float64] = np.zeros(columns.shape[1])
    for _ in range(_ITERATIONS):
        residual = sample - levels[row] - columns @ shading
        spread = robust_spread(residual)
        if spread <= 0:
            break
        weight = np.clip(1 - (residual / (_TUKEY_SPREADS * spread)) ** 2, 0, None) ** 2
        # Centred per row, so that a level cannot pass for a slope where rows differ.
        mass = np.bincount(row, weight, len(levels))
        safe = np.where(mass > 0, mass, 1)
        centre = np.stack(
            [np.bincount(row, weight * column, len(levels)) / safe for column in columns.T], axis=-1
        )
        middle = np.bincount(row, weight * sample, len(levels)) / safe
        design, target = columns - centre[row], sample - middle[row]
        normal = design.T @ (design * weight[:, None])
        normal += np.eye(len(normal)) * _RIDGE * weight.sum()
        shading = np.asarray(np.linalg.solve(normal, design.T @ (target * weight)))
        levels = _row_levels(sample - columns @ shading, row, len(levels))
    return shading, levels
