"""Least squares over blocks' votes: the mission's rig, and each pair's place.

The constants were chosen on simulated missions (other seeds than the benchmark's) and on the real pairs;
``python -m benchmarks.alignment`` measures what they lead to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.block_votes import (
    VOTE_NOISE_PX,
    Votes,
    robust_mean,
    shrink_factor,
)
from dd_livm_core.registration.rig import Floats, RigGeometry, distort, frame_centre

LEAST_VOTES_OF_PAIR, LEAST_VOTES = 4, 8
"""Votes from which a pair counts, and from which a mission is fitted at all: two would already give scale, rotation and
offset, but then nothing tells an outlier."""
LEAST_VOTES_FOR_RADIAL = 60
"""Votes from which a mission's radial term is fitted: from fewer it would be noise."""
PAIR_SPREAD = 0.004
"""How far a pair's scale and rotation may plausibly lie from its rig's (one sigma, as a share and in radians)."""
INLIER_PX = 1.5
"""A vote within this distance of a pair's fit agrees with it, infrared px of a frame ``WIDTH_PX`` wide at most."""
RIG_ROUNDS, PAIR_ROUNDS = 10, 6
"""Rounds of reweighting in the fit of a mission's rig and of a pair's place."""


@dataclass(frozen=True)
class Placement:
    """Where a pair's infrared frame lies in its visible frame.

    Attributes
    ----------
    linear
        (2, 2), infrared to visible pixels.
    centre_px
        (2,), the infrared frame's centre in visible pixels.
    agreement
        Share of the votes' scores, 0 to 1, that lie within ``INLIER_PX``.
    """

    linear: Floats
    centre_px: Floats
    agreement: float


def fit_rig(votes: Sequence[Votes], shape: tuple[int, ...], start: RigGeometry) -> RigGeometry:
    """Return the scale, rotation and radial term that fit the votes of a mission's pairs best, offsets left free.

    Least squares, iteratively reweighted: target = t_pair + A (x' + radial · r² · x'), with x' and r as in
    :class:`RigGeometry`. Too few votes return ``start``.

    Parameters
    ----------
    shape
        (H, W) of the infrared frames.
    start
        Its scale only sets which votes are outliers.
    """
    usable = [v for v in votes if len(v.scores) >= LEAST_VOTES_OF_PAIR]
    total = sum(len(v.scores) for v in usable)
    if total < LEAST_VOTES:
        return start
    pair = np.repeat(np.arange(len(usable)), [len(v.scores) for v in usable])
    away = np.concatenate([v.centres_px for v in usable]) - frame_centre(shape)
    targets = np.concatenate([v.targets_px for v in usable])
    base = np.concatenate([v.scores for v in usable])
    design = _rig_design(away, shape, with_radial=total >= LEAST_VOTES_FOR_RADIAL)
    noise = VOTE_NOISE_PX * start.scale * shrink_factor(shape)
    weight = base
    for _ in range(RIG_ROUNDS):
        solution, error = _solve_with_free_offsets(design, targets, weight, pair)
        weight = base / (1 + (error / noise) ** 2)
    a, b = solution[:2]
    radial = float(solution[:2] @ solution[2:] / (a * a + b * b)) if len(solution) > 2 else 0.0
    return RigGeometry(float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a))), radial)


def place_by_votes(votes: Votes, rig: RigGeometry, shape: tuple[int, ...]) -> Placement:
    """Return where a pair's votes put its infrared frame of shape (H, W).

    The linear part is the rig's but for what the votes surely say otherwise (ridge regression towards the rig): panels
    that are tilted, or nearer than the ground, are seen from two places.
    """
    unit = rig.scale * shrink_factor(shape)
    away = distort(votes.centres_px, rig.radial, shape) - frame_centre(shape)
    left = (votes.targets_px - away @ rig.linear().T) / unit
    reach = float(np.linalg.norm(frame_centre(shape)))
    design = np.column_stack([np.ones(len(away)), away / reach])
    spread = PAIR_SPREAD * reach / shrink_factor(shape)
    found = np.zeros((3, 2))
    found[0] = robust_mean(left, votes.scores)
    for _ in range(PAIR_ROUNDS):
        distance = np.linalg.norm(left - design @ found, axis=1)
        noise = max(VOTE_NOISE_PX, float(np.median(distance)))
        ridge = np.diag([0.0, 1.0, 1.0]) * (noise / spread) ** 2
        weighted = design * (votes.scores / (1 + (distance / VOTE_NOISE_PX) ** 2))[:, None]
        found = np.linalg.solve(weighted.T @ design + ridge, weighted.T @ left)
    distance = np.linalg.norm(left - design @ found, axis=1)
    agreement = float(votes.scores[distance <= INLIER_PX].sum() / max(votes.scores.sum(), 1e-9))
    return Placement(rig.linear() + found[1:].T * unit / reach, found[0] * unit, agreement)


def _rig_design(away_px: Floats, shape: tuple[int, ...], *, with_radial: bool) -> Floats:
    """Return the design (N, 2, 2) or, with the radial term, (N, 2, 4) of positions (N, 2) from the frame's centre.

    Each term's two unknowns (a, b) act on its column as [[a, -b], [b, a]].
    """
    columns = [away_px]
    if with_radial:
        squared_half_diagonal = float(np.sum(frame_centre(shape) ** 2))
        columns.append(away_px * (np.sum(away_px**2, axis=1) / squared_half_diagonal)[:, None])
    return np.stack(
        [part for c in columns for part in (c, np.stack([-c[:, 1], c[:, 0]], 1))], axis=2
    )


def _solve_with_free_offsets(
    design: Floats, targets: Floats, weight: Floats, pair: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Solve weighted least squares with one free offset per pair, by subtracting each pair's weighted means.

    Parameters
    ----------
    design
        (N, 2, K) of N votes.
    targets
        (N, 2), visible px.
    pair
        (N,), number of the pair that each vote belongs to.

    Returns
    -------
    The solution (K,), and each vote's error (N,) in visible px.
    """
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
