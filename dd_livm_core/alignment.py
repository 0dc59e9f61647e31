"""Register infrared to visible images: every pair keeps its candidates, the mission decides.

1. :func:`mission_rig` finds scale and rotation on a sample of the mission (they belong to the rig).
2. :func:`register_pair` keeps each pair's best positions at that geometry, refined below a pixel.
3. :func:`mission_consensus` settles which of them is meant: rows repeat, so a pair whose best position is one
   panel period off is brought back by the offset that the mission shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.rig import (
    RigGeometry,
    block_shifts,
    coarse_peaks,
    estimate_rig,
    fit_similarity,
    on_infrared_grid,
    similarity,
)
from dd_livm_core.structure import grey

Floats = NDArray[np.float64]
Status = Literal["aligned", "consensus", "ambiguous", "failed"]

MIN_SCORE = 0.12
"""Correlation below which nothing was found: unrelated frames of panels reach about 0.1."""
CLEAR_RATIO = 1.05
"""Best over second peak above which a pair decides for itself (registration literature on row aliasing)."""
REACH_PX = 12.0
"""How far a pair may lie from the mission's offset: time skew moves it, half a panel's side would be a slip."""
MODE_REACH_PX = 6.0
MODE_SHARE = 0.15
"""Pairs whose offsets agree this closely, and their least share of a mission, make one of its offsets."""
RIVAL_SHARE = 0.7
"""Score, relative to the best, from which a position is worth refining."""
FINE_ROUNDS = 3
SAMPLE = 6


@dataclass(frozen=True)
class PairView:
    """One pair, read: infrared float32 (H, W), visible uint8 (H, W, 3) RGB."""

    pair_id: str
    infrared: NDArray[np.float32]
    visible: NDArray[np.uint8]
    radiometric: bool


@dataclass(frozen=True)
class Candidate:
    """One position of the infrared frame's centre in the visible frame, px, with its score."""

    centre_px: Floats
    score: float


@dataclass(frozen=True)
class PairCandidates:
    """What a pair says for itself; small, so that a mission's fit in memory."""

    pair_id: str
    infrared_shape: tuple[int, int]
    visible_shape: tuple[int, int]
    rig: RigGeometry
    candidates: tuple[Candidate, ...]
    refinements: tuple[Floats, ...] = field(default=())
    reason: str = ""


@dataclass(frozen=True)
class Alignment:
    """Where one pair's infrared frame lies in its visible frame.

    Attributes
    ----------
    matrix
        (3, 3), infrared pixels to visible pixels.
    status
        ``aligned`` by itself, ``consensus`` where the mission's offset decided, ``ambiguous`` where neither
        could, ``failed`` where nothing was found.
    confidence
        0 to 1.
    offset_px
        The centre's offset from the visible frame's centre, visible pixels.
    """

    pair_id: str
    matrix: Floats
    status: Status
    reason: str
    confidence: float
    scale: float
    rotation_deg: float
    offset_px: tuple[float, float]


def mission_rig(views: Sequence[PairView]) -> RigGeometry:
    """Estimate the scale and rotation that a mission's pairs share, from a few of them."""
    rig, _ = estimate_rig([(view.infrared, view.visible) for view in views])
    return rig


def register_pair(view: PairView, rig: RigGeometry) -> PairCandidates:
    """Find where a pair's infrared frame can lie in its visible frame, best first, refined below a pixel."""
    visible = grey(view.visible)
    shapes = view.infrared.shape, visible.shape
    spread = (
        float(np.ptp(np.percentile(view.infrared, (1, 99)))),
        float(np.ptp(np.percentile(visible, (1, 99)))),
    )
    if not np.isfinite(view.infrared).all() or spread[0] < 1e-3 or spread[1] < 2:
        blank = "infrared" if not spread[0] >= 1e-3 else "visible"
        return PairCandidates(view.pair_id, *shapes, rig, (), (), f"the {blank} image is blank")
    found = [
        (centre, score)
        for centre, score in coarse_peaks(view.infrared, visible, rig)
        if score >= MIN_SCORE
    ]
    if not found:
        reason = "infrared and visible share no structure: wrong pair, or no panels in view"
        return PairCandidates(view.pair_id, *shapes, rig, (), (), reason)
    candidates, refinements = [], []
    rivals = [peak for peak in found[:3] if peak[1] > RIVAL_SHARE * found[0][1]]
    for centre, score in rivals:
        matrix, fine = _refine(view.infrared, visible, similarity(rig, centre, view.infrared.shape))
        middle = _middle(view.infrared.shape)
        candidates.append(
            Candidate(matrix[:2, :2] @ middle + matrix[:2, 2], fine if fine > 0 else 0.5 * score)
        )
        refinements.append(matrix)
    order = np.argsort([-c.score for c in candidates], kind="stable")
    return PairCandidates(
        view.pair_id,
        *shapes,
        rig,
        tuple(candidates[i] for i in order),
        tuple(refinements[i] for i in order),
    )


def _middle(shape: tuple[int, ...]) -> Floats:
    return np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])


def _refine(
    infrared: NDArray[np.float32], visible: NDArray[np.float32], matrix: Floats
) -> tuple[Floats, float]:
    """Follow block shifts to the sub-pixel position; return the matrix and the mean block score.

    Only the offset follows: scale and rotation are the mission's.
    """
    score = 0.0
    middle = _middle(infrared.shape)
    for _ in range(FINE_ROUNDS):
        centres, shifts, weights = block_shifts(infrared, visible, matrix)
        step = fit_similarity(centres, shifts, weights)
        if step is None:
            return matrix, 0.0
        moved = step @ np.append(middle, 1) - middle
        matrix = matrix.copy()
        matrix[:2, 2] += matrix[:2, :2] @ moved
        score = float(weights.sum() / 12)
        if np.linalg.norm(moved) < 0.02:
            break
    return matrix, score


def mission_consensus(candidates: Sequence[PairCandidates]) -> list[Alignment]:
    """Decide each pair's position, from its own candidates and from the offset that the mission shares.

    The answer does not depend on the order of the pairs.
    """
    clear = [c for c in candidates if c.candidates and _ratio(c) >= CLEAR_RATIO]
    voters = clear or [c for c in candidates if c.candidates]
    offsets = np.array([_offset(c, c.candidates[0]) for c in voters]).reshape(-1, 2)
    shared = _modes(offsets)
    return [_decide(c, shared) for c in candidates]


def _modes(offsets_px: Floats) -> Floats:
    """Return the offsets that several pairs share, (N, 2), the most shared first.

    There may be more than one: the shutters' time skew turns with the flight direction.
    """
    if not len(offsets_px):
        return np.zeros((1, 2))
    near = np.linalg.norm(offsets_px[:, None] - offsets_px[None], axis=2) <= MODE_REACH_PX
    support = near.sum(1)
    least = max(2, round(MODE_SHARE * len(offsets_px)))
    modes: list[Floats] = []
    # falling support, then by place, so that the order of the pairs does not matter
    for number in np.lexsort((offsets_px[:, 1], offsets_px[:, 0], -support)):
        middle = np.median(offsets_px[near[number]], axis=0)
        apart = all(np.linalg.norm(middle - mode) > MODE_REACH_PX for mode in modes)
        if not modes or (support[number] >= least and apart):
            modes.append(middle)
    return np.array(modes)


def _ratio(pair: PairCandidates) -> float:
    if len(pair.candidates) < 2:
        return 2.0
    return pair.candidates[0].score / max(pair.candidates[1].score, 1e-6)


def _offset(pair: PairCandidates, candidate: Candidate) -> Floats:
    """Return the candidate's offset from the visible centre in infrared pixels."""
    offset = candidate.centre_px - _middle(pair.visible_shape)
    return np.asarray(np.linalg.solve(pair.rig.linear(), offset), np.float64)


def _decide(pair: PairCandidates, shared: Floats) -> Alignment:
    if not pair.candidates:
        centre = pair.rig.linear() @ shared[0] + _middle(pair.visible_shape)
        matrix = similarity(pair.rig, centre, pair.infrared_shape)
        return _result(pair, matrix, "failed", pair.reason, 0.0)
    distances = [
        float(np.linalg.norm(_offset(pair, c) - shared, axis=1).min()) for c in pair.candidates
    ]
    best, ratio = pair.candidates[0], _ratio(pair)
    strength = float(np.clip((best.score - MIN_SCORE) / 0.4, 0, 1))
    if distances[0] <= REACH_PX:
        return _result(pair, pair.refinements[0], "aligned", "", 0.5 + 0.5 * strength)
    near = int(np.argmin(distances))
    if distances[near] <= REACH_PX and pair.candidates[near].score >= 0.7 * best.score:
        reason = f"its best position is {distances[0]:.0f} px from the mission's offset, this one {distances[near]:.0f}"
        return _result(pair, pair.refinements[near], "consensus", reason, 0.3 + 0.3 * strength)
    if ratio >= 1.5 and best.score > 0.4:
        return _result(
            pair, pair.refinements[0], "aligned", "far from the mission's offset, but clear", 0.4
        )
    centre = pair.rig.linear() @ shared[0] + _middle(pair.visible_shape)
    matrix = similarity(pair.rig, centre, pair.infrared_shape)
    reason = f"no position near the mission's offset (nearest {distances[near]:.0f} px): the offset itself is taken"
    return _result(pair, matrix, "ambiguous", reason, 0.2)


def _result(
    pair: PairCandidates, matrix: Floats, status: Status, reason: str, confidence: float
) -> Alignment:
    centre = matrix[:2, :2] @ _middle(pair.infrared_shape) + matrix[:2, 2]
    offset = centre - _middle(pair.visible_shape)
    return Alignment(
        pair.pair_id,
        matrix,
        status,
        reason,
        confidence,
        float(np.sqrt(np.linalg.det(matrix[:2, :2]))),
        float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))),
        (float(offset[0]), float(offset[1])),
    )


def resample_visible(
    visible: NDArray[np.uint8], matrix: Floats, infrared_shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Bring a visible image onto the infrared grid, uint8 (H, W, 3); black where it has no pixels."""
    return np.asarray(
        on_infrared_grid(visible, matrix, (infrared_shape[1], infrared_shape[0])), np.uint8
    )
