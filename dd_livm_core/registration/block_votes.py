"""Below a pixel: how far blocks of the infrared frame lie from where a first guess puts them.

Each block of a pair votes for a small shift. A mission's votes together give its rig; what is left of a pair's own
votes gives its offset, and how well they agree tells whether it is a pair at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.orientation import Complex, known_part, orientation_field, peaks
from dd_livm_core.registration.rig import (
    Floats,
    Image,
    RigGeometry,
    Scene,
    bend,
    middle,
    on_infrared_grid,
    shrunk_by,
)

WIDTH_PX = 640
"""Width of the infrared frame at which blocks vote; the reaches below are meant there."""
GRID = (4, 5)
"""Blocks down and across the infrared frame."""
REACH_PX = 9
"""How far a block is searched: below half a panel's short side, so that it cannot slip by a period."""
NEAR_PX = 3
"""How far a block's own peak may lie from the one that all blocks share."""
GUESS_SIGMA_PX = 5.0
LEAST_SCORE = 0.1
INLIER_PX = 1.5
FIELD_SIGMA_PX = 1.4
VOTE_NOISE_PX, PAIR_SPREAD = 0.7, 0.004
"""Least noise of a vote, and how far a pair's scale and turn may plausibly lie from its rig's (both one sigma)."""
LEAST_VOTES_FOR_RADIAL = 60
"""The lenses' radial term is fitted where a mission has this many votes: fewer would be noise."""


@dataclass(frozen=True)
class Votes:
    """Where blocks of one infrared frame lie: centres (N, 2), targets (N, 2) in visible px, scores (N,)."""

    centres_px: Floats
    targets_px: Floats
    scores: Floats
    blocks: int

    @property
    def score(self) -> float:
        """Return the mean score over all blocks, those that found nothing counted as 0."""
        return float(self.scores.sum() / max(self.blocks, 1))


def detail(shape: tuple[int, ...]) -> int:
    """Return by how much an infrared frame of shape (H, W) is shrunk before its blocks vote."""
    return max(1, round(shape[1] / WIDTH_PX))


def vote(infrared: Image, visible: Scene, matrix: Floats, radial: float, rounds: int = 2) -> Votes:
    """Let the blocks of a pair vote, starting from a (3, 3) matrix that is right to a few pixels.

    A second round starts from where the first one led, so that sub-pixel estimates are made near zero shift. A frame
    of more than ``WIDTH_PX`` is halved first (or more): the reach, in pixels, would fall short.
    """
    step = detail(infrared.shape)
    if step > 1:
        smaller, grown = shrunk_by(infrared, step)
        found = vote(np.asarray(smaller, np.float32), visible, matrix @ grown, radial, rounds)
        return replace(found, centres_px=found.centres_px * step + (step - 1) / 2)
    field = orientation_field(infrared, FIELD_SIGMA_PX, known_part(infrared))
    votes = Votes(np.empty((0, 2)), np.empty((0, 2)), np.empty(0), 0)
    for _ in range(rounds):
        votes, shifts = _round(field, visible, matrix, radial)
        if len(shifts) < 3:
            return votes
        moved = matrix[:2, :2] @ _robust_mean(shifts, votes.scores)
        matrix = matrix.copy()
        matrix[:2, 2] += moved
        if np.linalg.norm(np.linalg.solve(matrix[:2, :2], moved)) < 0.3:
            break
    return votes


def _round(
    template: Complex, visible: Scene, matrix: Floats, radial: float
) -> tuple[Votes, Floats]:
    height, width = template.shape
    warped = np.asarray(
        on_infrared_grid(visible.image, matrix, (width, height), radial), np.float32
    )
    inside = visible.inside(matrix, (width, height))
    scene = orientation_field(warped, FIELD_SIGMA_PX, inside)
    first, second = _two_channels(template), _two_channels(scene)
    rows, columns = _cuts(height, GRID[0]), _cuts(width, GRID[1])
    centres, maps = [], []
    for y0, y1 in rows:
        for x0, x1 in columns:
            area = second[y0 - REACH_PX : y1 + REACH_PX, x0 - REACH_PX : x1 + REACH_PX]
            block = first[y0:y1, x0:x1]
            if block.any() and area.any():
                centres.append([(x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2])
                score = cv2.matchTemplate(area, block, cv2.TM_CCORR_NORMED)
                maps.append(np.asarray(score, np.float32))
    chosen, shift, scores = _agreed_peaks(maps)
    centre = np.array(centres).reshape(-1, 2)[chosen]
    moved = bend(centre + shift, radial, (height, width))
    targets = moved @ matrix[:2, :2].T + matrix[:2, 2]
    return Votes(centre, targets, scores, len(rows) * len(columns)), shift


def _agreed_peaks(maps: Sequence[Image]) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return which blocks found a peak near the one that all blocks share, their shifts (N, 2) and scores (N,).

    A block alone may slip along an edge or to the next cell; the sum of all score maps does so rarely, and a peak
    nearer to the first guess is believed sooner.
    """
    nothing = np.empty(0, np.intp), np.empty((0, 2)), np.empty(0)
    if not maps:
        return nothing
    total = np.mean(maps, axis=0)
    found = peaks(total, 9, 2)
    if not found:
        return nothing
    shared = np.array([[x, y] for x, y, _ in found]) - REACH_PX
    belief = np.exp(-np.sum(shared**2, axis=1) / (2 * GUESS_SIGMA_PX**2))
    x0, y0 = np.rint(shared[int(np.argmax(belief * [v for _, _, v in found]))]).astype(int)
    y0, x0 = (int(np.clip(v + REACH_PX, NEAR_PX, 2 * REACH_PX - NEAR_PX)) for v in (y0, x0))
    window = 2 * NEAR_PX
    chosen, shifts, scores = [], [], []
    for number, score in enumerate(maps):
        near = score[y0 - NEAR_PX : y0 + NEAR_PX + 1, x0 - NEAR_PX : x0 + NEAR_PX + 1]
        x, y, best = (peaks(near, 1, window) or [(0.0, 0.0, 0.0)])[0]
        if best > LEAST_SCORE and min(x, y) > 0.6 and max(x, y) < window - 0.6:
            chosen.append(number)
            shifts.append([x + x0 - NEAR_PX - REACH_PX, y + y0 - NEAR_PX - REACH_PX])
            scores.append(best)
    return np.array(chosen, np.intp), np.array(shifts).reshape(-1, 2), np.array(scores)


def _two_channels(field: Complex) -> Image:
    return np.ascontiguousarray(field).view(np.float32).reshape(*field.shape, 2)


def _cuts(length: int, parts: int) -> list[tuple[int, int]]:
    edges = np.linspace(REACH_PX, length - REACH_PX, parts + 1).astype(int)
    return list(pairwise(edges.tolist()))


def _robust_mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted mean of (N, 2) values, outliers counted little (iterated reweighting, Cauchy)."""
    mean = np.median(values, axis=0)
    for _ in range(8):
        distance = np.linalg.norm(values - mean, axis=1)
        weight = weights / (1 + (distance / 0.7) ** 2)
        mean = (weight[:, None] * values).sum(0) / max(float(weight.sum()), 1e-9)
    return np.asarray(mean)


def fit_rig(votes: Sequence[Votes], shape: tuple[int, ...], start: RigGeometry) -> RigGeometry:
    """Fit scale, rotation and radial term to the votes of a mission's pairs, offsets left free.

    Linear least squares with iterated reweighting: target = t_pair + A (x' + radial r² x'), x' from the centre.
    Too few votes leave ``start`` as it is.
    """
    usable = [v for v in votes if len(v.scores) >= 4]
    total = sum(len(v.scores) for v in usable)
    if total < 8:
        return start
    pair = np.repeat(np.arange(len(usable)), [len(v.scores) for v in usable])
    away = np.concatenate([v.centres_px for v in usable]) - middle(shape)
    targets = np.concatenate([v.targets_px for v in usable])
    base = np.concatenate([v.scores for v in usable])
    cubic = away * (np.sum(away**2, axis=1) / float(np.sum(middle(shape) ** 2)))[:, None]
    columns = [away, cubic] if total >= LEAST_VOTES_FOR_RADIAL else [away]
    # for each column c: (a, b) act as [[a, -b], [b, a]] on it
    design = np.stack(
        [part for c in columns for part in (c, np.stack([-c[:, 1], c[:, 0]], 1))], axis=2
    )
    weight = base
    for _ in range(10):
        solution, error = _within_pairs(design, targets, weight, pair)
        weight = base / (1 + (error / (0.7 * start.scale * detail(shape))) ** 2)
    a, b = solution[:2]
    radial = float(solution[:2] @ solution[2:] / (a * a + b * b)) if len(solution) > 2 else 0.0
    return RigGeometry(float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a))), radial)


def _within_pairs(
    design: Floats, targets: Floats, weight: Floats, pair: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Solve least squares with one free offset per pair; return the solution and each vote's error."""
    total = np.bincount(pair, weight)[:, None]

    def centred(values: Floats) -> Floats:
        flat = values.reshape(len(values), -1)
        means = np.stack([np.bincount(pair, weight * column) for column in flat.T], 1) / total
        return np.asarray((flat - means[pair]).reshape(values.shape))

    x, y = centred(design), centred(targets)
    root = np.sqrt(weight)[:, None]
    flat = (x * root[..., None]).reshape(-1, x.shape[2])
    solution = np.linalg.lstsq(flat, (y * root).ravel(), rcond=None)[0]
    error = np.linalg.norm(y - x @ solution, axis=1)
    return np.asarray(solution, np.float64), np.asarray(error, np.float64)


def placed_by(
    votes: Votes, rig: RigGeometry, shape: tuple[int, ...]
) -> tuple[Floats, Floats, float]:
    """Return where a pair's votes put its infrared frame: centre (2,) in visible px, linear part (2, 2), agreement.

    The linear part is the rig's but for what the votes surely say otherwise: panels that are tilted, or nearer than
    the ground, are seen from two places. The agreement counts the scores of blocks within ``INLIER_PX`` infrared
    pixels (of a frame at most ``WIDTH_PX`` wide), out of all that found something.
    """
    unit = rig.scale * detail(shape)
    away = bend(votes.centres_px, rig.radial, shape) - middle(shape)
    left = (votes.targets_px - away @ rig.linear().T) / unit
    reach = float(np.linalg.norm(middle(shape)))
    design = np.column_stack([np.ones(len(away)), away / reach])
    spread = PAIR_SPREAD * reach / detail(shape)
    found = np.zeros((3, 2))
    found[0] = _robust_mean(left, votes.scores)
    for _ in range(6):
        distance = np.linalg.norm(left - design @ found, axis=1)
        noise = max(VOTE_NOISE_PX, float(np.median(distance)))
        firm = np.diag([0.0, 1.0, 1.0]) * (noise / spread) ** 2
        weighted = design * (votes.scores / (1 + (distance / 0.7) ** 2))[:, None]
        found = np.linalg.solve(weighted.T @ design + firm, weighted.T @ left)
    distance = np.linalg.norm(left - design @ found, axis=1)
    agreeing = float(votes.scores[distance <= INLIER_PX].sum() / max(votes.scores.sum(), 1e-9))
    linear = rig.linear() + found[1:].T * unit / reach
    return found[0] * unit, linear, agreeing
