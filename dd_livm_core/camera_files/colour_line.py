"""The line that a picture's colours draw, where its palette is not known, and which of its ends is hot."""

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.palettes import (
    STEPS,
    cell_colours,
    cell_numbers,
    lookup,
    nearest_steps,
    weighted_ycc,
)

Colours = NDArray[np.uint8]

LEAST_SHARE = 2e-4
"""Of the flat colours, in a cell that counts."""
NEIGHBOURS = 25.0
"""Distance of cells that follow on each other (see `palettes.weighted_ycc`); parallel parts of a palette are wider."""
STRETCH = 12.0
"""Of the line, over which colours are averaged; some cells long."""
LEAST_CONNECTED, LEAST_ON_LINE, ON_LINE = 0.95, 0.95, 16
"""Share of pixels in one piece; share of colours, each counted once, at most `ON_LINE` off the line."""
KNOWN_COLOURS = 15.0
"""Distance within which a known palette's colours speak for a colour's heat."""
PLAIN = 0.9
"""Least correlation of the place on the line with heat by known palettes; at random signs it is near 0."""


def draw_line(counts: NDArray[np.float64]) -> Colours | None:
    """Return the line that colours lie on, uint8 (256, 3) RGB, from one end to the other, or None if they lie on none.

    A colour's place on it is the length of the way through neighbouring colours (as in Isomap, Tenenbaum, de Silva
    and Langford 2000) from the colour that is farthest from all others.

    Parameters
    ----------
    counts
        Share of each cell of the colour cube (see `palettes.cell_colours`).
    """
    # here, as few pictures need them: they make two thirds of what each process of an ingestion imports
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components, dijkstra
    from scipy.spatial import cKDTree

    used = np.flatnonzero(counts >= LEAST_SHARE)
    if len(used) < 3:
        return None
    rgb, share = cell_colours()[used], counts[used]
    ycc = weighted_ycc(rgb)
    pairs = cKDTree(ycc).query_pairs(NEIGHBOURS, output_type="ndarray")
    lengths = np.linalg.norm(ycc[pairs[:, 0]] - ycc[pairs[:, 1]], axis=1)
    graph = csr_array((lengths, (pairs[:, 0], pairs[:, 1])), shape=(len(used),) * 2)
    _, piece = connected_components(graph, directed=False)
    heaviest = int(np.argmax(np.bincount(piece, share)))
    inside = piece == heaviest
    if share[inside].sum() < LEAST_CONNECTED * share.sum():
        return None
    start = int(np.argmax(np.where(inside, share, 0)))
    for _ in range(2):
        way = dijkstra(graph, directed=False, indices=[start])[0]
        way[~inside] = 0
        start = int(np.argmax(way))
    way = dijkstra(graph, directed=False, indices=[start])[0][inside]
    bins = (way / STRETCH).astype(np.intp)
    total = np.bincount(bins, share[inside])
    filled = total > 0
    if filled.sum() < 3:
        return None
    means = [
        np.bincount(bins, share[inside] * rgb[inside, c])[filled] / total[filled] for c in range(3)
    ]
    line = _resample(np.stack(means, axis=1))
    distance, _ = nearest_steps(line)
    on_line = (distance[used] <= ON_LINE).mean()
    return line if on_line >= LEAST_ON_LINE else None


def known_order(line: Colours) -> int:
    """Return 1 where a line's colours run from cold to hot, -1 from hot to cold, by what known palettes use them for.

    It is 0 where the known palettes do not agree, or use none of the colours.
    """
    cells = cell_numbers(line)
    distance, steps = (table[:, cells].astype(np.float64) for table in lookup())
    weight = np.exp(-((distance / KNOWN_COLOURS) ** 2))
    speaks = weight.sum(axis=0) > 0.3
    if speaks.mean() < 0.5:
        return 0
    heat = (weight * steps).sum(axis=0)[speaks] / weight.sum(axis=0)[speaks]
    together = float(np.corrcoef(np.flatnonzero(speaks), heat)[0, 1])
    return 0 if not abs(together) >= PLAIN else int(np.sign(together))


def _resample(points: NDArray[np.float64]) -> Colours:
    """Return colours at even distances along a line of points, uint8 (`STEPS`, 3)."""
    steps = np.linalg.norm(np.diff(weighted_ycc(points), axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, way[-1], STEPS)
    channels = [np.interp(at, way, points[:, channel]) for channel in range(3)]
    return np.clip(np.rint(np.stack(channels, axis=1)), 0, 255).astype(np.uint8)
