"""Sub-pixel refinement: each block of the infrared frame votes for a small shift from an initial transform.

``rig_fit`` turns the votes into the rig and each pair's place. The constants were chosen on simulated missions (other
seeds than the benchmark's) and on the real pairs; ``python -m benchmarks.alignment`` measures what they lead to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.orientation import (
    Complex,
    known_pixels,
    orientation_field,
    peaks,
)
from dd_livm_core.registration.rig import (
    Floats,
    Image,
    VisibleFrame,
    distort,
    resample_to_infrared_grid,
    shrink,
)

WIDTH_PX = 640
"""Width of the infrared frame at which blocks vote; all lengths below are meant there."""
GRID = (4, 5)
"""Blocks down and across the infrared frame."""
REACH_PX = 9
"""How far a block is searched: less than half a PV module's short side, so that it cannot slip by a period."""
NEAR_PX = 3
"""How far a block's own peak may lie from the one that all blocks share."""
GUESS_SIGMA_PX = 5.0
"""Error of the initial transform (one sigma): a shared peak is weighted by the Gaussian of its distance."""
SHARED_PEAKS, SHARED_APART_PX = 9, 2
"""Peaks of the blocks' mean that are compared, and how far apart they lie."""
LEAST_SCORE = 0.1
"""Correlation from which a block's peak is a vote."""
RIM_PX = 0.6
"""A peak nearer to the rim of its window is a slope whose top lies outside."""
FIELD_SIGMA_PX = 1.4
"""Smoothing before the gradient: finer than in the search, since the frames of PV modules give the place."""
ROUNDS, LEAST_SHIFTS, SETTLED_PX = 2, 3, 0.3
"""A pair votes this often at most, goes on only with so many votes, and stops once they move it by less."""
VOTE_NOISE_PX = 0.7
"""Error of one block's vote (one sigma). A vote this far off counts half (the scale of the Cauchy weights)."""
MEAN_ROUNDS = 8
"""Rounds of reweighting in a robust mean."""


@dataclass(frozen=True)
class Votes:
    """Where blocks of one infrared frame lie in its visible frame; only blocks that found a peak are listed.

    Attributes
    ----------
    centres_px
        (N, 2), the blocks' centres in infrared pixels.
    targets_px
        (N, 2), where these lie, in visible pixels.
    scores
        (N,), correlation of each block at its place, 0 to 1.
    blocks
        Number of blocks that the frame was cut into, those that found nothing included.
    """

    centres_px: Floats
    targets_px: Floats
    scores: Floats
    blocks: int

    @property
    def score(self) -> float:
        """Return the mean score over all blocks, 0 to 1; blocks that found nothing count as 0."""
        return float(self.scores.sum() / max(self.blocks, 1))


def shrink_factor(shape: tuple[int, ...]) -> int:
    """Return the whole number by which an infrared frame of shape (H, W) is shrunk before its blocks vote."""
    return max(1, round(shape[1] / WIDTH_PX))


def vote(infrared: Image, visible: VisibleFrame, matrix: Floats, radial: float) -> Votes:
    """Return the votes of a pair's blocks, starting from a transform that is right to a few pixels.

    A second round starts from where the first one led, so that sub-pixel estimates are made near zero shift. Frames
    much wider than ``WIDTH_PX`` are shrunk first: ``REACH_PX`` would be too short for them.

    Parameters
    ----------
    infrared
        float32 (H, W).
    matrix
        (3, 3), infrared to visible pixels, after the radial term.
    """
    step = shrink_factor(infrared.shape)
    if step > 1:
        smaller, grown = shrink(infrared, step)
        found = vote(np.asarray(smaller, np.float32), visible, matrix @ grown, radial)
        return replace(found, centres_px=found.centres_px * step + (step - 1) / 2)
    field = orientation_field(infrared, FIELD_SIGMA_PX, known_pixels(infrared))
    votes = Votes(np.empty((0, 2)), np.empty((0, 2)), np.empty(0), 0)
    for _ in range(ROUNDS):
        votes, shifts = _vote_once(field, visible, matrix, radial)
        if len(shifts) < LEAST_SHIFTS:
            return votes
        moved = matrix[:2, :2] @ robust_mean(shifts, votes.scores)
        matrix = matrix.copy()
        matrix[:2, 2] += moved
        if np.linalg.norm(np.linalg.solve(matrix[:2, :2], moved)) < SETTLED_PX:
            break
    return votes


def robust_mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted mean (2,) of values (N, 2) in infrared px, outliers counted little.

    Iterated reweighting with Cauchy weights of scale ``VOTE_NOISE_PX``, from the median on.

    Source: Holland & Welsch, Robust regression using iteratively reweighted least-squares, 1977.
    """
    mean = np.median(values, axis=0)
    for _ in range(MEAN_ROUNDS):
        distance = np.linalg.norm(values - mean, axis=1)
        weight = weights / (1 + (distance / VOTE_NOISE_PX) ** 2)
        mean = (weight[:, None] * values).sum(0) / max(float(weight.sum()), 1e-9)
    return np.asarray(mean)


def _vote_once(
    field: Complex, visible: VisibleFrame, matrix: Floats, radial: float
) -> tuple[Votes, Floats]:
    """Return the votes of an infrared orientation field's blocks, and their shifts (N, 2) in infrared px."""
    height, width = field.shape
    size = (width, height)
    resampled = resample_to_infrared_grid(visible.image, matrix, size, radial)
    inside = visible.mark_inside(matrix, size)
    visible_field = orientation_field(np.asarray(resampled, np.float32), FIELD_SIGMA_PX, inside)
    all_centres, maps = _correlate_blocks(field, visible_field)
    voting, shifts, scores = _find_block_peaks(maps)
    centres = all_centres[voting]
    moved = distort(centres + shifts, radial, (height, width))
    targets = moved @ matrix[:2, :2].T + matrix[:2, 2]
    return Votes(centres, targets, scores, GRID[0] * GRID[1]), shifts


def _correlate_blocks(infrared: Complex, visible: Complex) -> tuple[Floats, list[Image]]:
    """Correlate each block of one field with the other field around it, both (H, W).

    Returns
    -------
    Centres (M, 2) of the blocks where both fields have edges, and for each the correlation at every shift up to
    ``REACH_PX``, float32 (2 · REACH_PX + 1, 2 · REACH_PX + 1).
    """
    height, width = infrared.shape
    first, second = _split_complex(infrared), _split_complex(visible)
    centres, maps = [], []
    for y0, y1 in _cut_blocks(height, GRID[0]):
        for x0, x1 in _cut_blocks(width, GRID[1]):
            area = second[y0 - REACH_PX : y1 + REACH_PX, x0 - REACH_PX : x1 + REACH_PX]
            block = first[y0:y1, x0:x1]
            if block.any() and area.any():
                centres.append([(x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2])
                score = cv2.matchTemplate(area, block, cv2.TM_CCORR_NORMED)
                maps.append(np.asarray(score, np.float32))
    return np.array(centres).reshape(-1, 2), maps


def _find_block_peaks(maps: Sequence[Image]) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return which blocks have a peak near the shared one (N,), their shifts (N, 2) in infrared px, and scores (N,)."""
    voting, shifts, scores = [], [], []
    shared = _find_shared_peak(maps)
    if shared is not None:
        x0, y0 = shared
        window = 2 * NEAR_PX
        for number, score in enumerate(maps):
            near = score[y0 - NEAR_PX : y0 + NEAR_PX + 1, x0 - NEAR_PX : x0 + NEAR_PX + 1]
            x, y, best = (peaks(near, 1, window) or [(0.0, 0.0, 0.0)])[0]
            if best > LEAST_SCORE and min(x, y) > RIM_PX and max(x, y) < window - RIM_PX:
                voting.append(number)
                shifts.append([x + x0 - NEAR_PX - REACH_PX, y + y0 - NEAR_PX - REACH_PX])
                scores.append(best)
    return np.array(voting, np.intp), np.array(shifts).reshape(-1, 2), np.array(scores)


def _find_shared_peak(maps: Sequence[Image]) -> tuple[int, int] | None:
    """Return column and row of the peak that all score maps share, at least ``NEAR_PX`` from their rim, or None.

    A block alone may slip along an edge or to the next cell; the mean of all score maps does so rarely. A peak nearer
    to the initial transform is preferred.
    """
    found = peaks(np.mean(maps, axis=0), SHARED_PEAKS, SHARED_APART_PX) if maps else []
    if not found:
        return None
    shifts = np.array([[x, y] for x, y, _ in found]) - REACH_PX
    belief = np.exp(-np.sum(shifts**2, axis=1) / (2 * GUESS_SIGMA_PX**2))
    x, y = np.rint(shifts[int(np.argmax(belief * [v for _, _, v in found]))]).astype(int)
    lowest, highest = NEAR_PX, 2 * REACH_PX - NEAR_PX
    return int(np.clip(x + REACH_PX, lowest, highest)), int(np.clip(y + REACH_PX, lowest, highest))


def _split_complex(field: Complex) -> Image:
    """Return a complex field (H, W) as real and imaginary channels, float32 (H, W, 2)."""
    return np.ascontiguousarray(field).view(np.float32).reshape(*field.shape, 2)


def _cut_blocks(length: int, parts: int) -> list[tuple[int, int]]:
    """Return first and last (exclusive) pixel of each block along one side, ``REACH_PX`` left free at both ends."""
    edges = np.linspace(REACH_PX, length - REACH_PX, parts + 1).astype(int)
    return list(pairwise(edges.tolist()))
