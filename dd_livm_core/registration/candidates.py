"""What a pair of images says for itself: where its infrared frame fits, and what its blocks vote there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.block_votes import Votes, fit_rig, vote
from dd_livm_core.registration.consensus import Positions
from dd_livm_core.registration.rig import Floats, RigGeometry, Scene, middle, similarity
from dd_livm_core.registration.rig_search import coarse_peaks, search_rig

MIN_SCORE = 0.12
"""Correlation below which nothing was found: unrelated frames of panels reach about 0.1."""
CLEAR_RATIO = 1.05
"""Best over second score from which a pair's best position is likely to stand (literature on row aliasing)."""
RIVAL_SHARE = 0.7
"""Score, relative to the best, down to which a position is kept."""


@dataclass(frozen=True)
class PairView:
    """One pair, read: infrared float32 (H, W), visible uint8 (H, W, 3) RGB."""

    pair_id: str
    infrared: NDArray[np.float32]
    visible: NDArray[np.uint8]
    radiometric: bool


@dataclass(frozen=True)
class PairCandidates:
    """What a pair says for itself; small, so that a mission's fit in memory.

    ``positions`` are offsets of the infrared centre from the visible centre in infrared pixels; ``votes`` are the
    blocks' from offset ``voted_at_px`` on.
    """

    pair_id: str
    infrared_shape: tuple[int, int]
    visible_shape: tuple[int, int]
    positions: Positions
    votes: Votes | None = None
    voted_at_px: tuple[float, float] = (0.0, 0.0)
    reason: str = ""


def mission_rig(views: Sequence[PairView]) -> RigGeometry:
    """Estimate the scale and rotation that a mission's pairs share, from a few of them."""
    sample = [(view.infrared, Scene.of(view.visible)) for view in views if not _blank(view)]
    if not sample:
        return RigGeometry(1.0, 0.0)
    rig = search_rig(sample)
    votes = []
    for infrared, visible in sample:
        found = coarse_peaks(infrared, visible, rig, count=1)
        if found:
            matrix = similarity(rig, found[0][0], infrared.shape)
            votes.append(vote(infrared, visible, matrix, rig.radial))
    return fit_rig(votes, sample[0][0].shape, rig)


def _blank(view: PairView) -> str:
    """Name the image that shows nothing, or return an empty text."""
    if not np.isfinite(view.infrared).all():
        return "infrared"
    if float(np.ptp(np.percentile(view.infrared[::4, ::4], (1, 99)))) < 1e-3:
        return "infrared"
    if float(np.ptp(np.percentile(view.visible[::4, ::4], (1, 99)))) < 2:
        return "visible"
    return ""


def register_pair(view: PairView, rig: RigGeometry) -> PairCandidates:
    """Find where a pair's infrared frame can lie in its visible frame.

    Where one position is clearly the best, blocks vote at it; where the mission will have to decide, they wait.
    """
    visible = Scene.of(view.visible)
    nothing = PairCandidates(
        view.pair_id,
        (view.infrared.shape[0], view.infrared.shape[1]),
        visible.shape,
        Positions(np.empty((0, 2)), np.empty(0)),
    )
    blank = _blank(view)
    if blank:
        return replace(nothing, reason=f"the {blank} image is blank")
    found = coarse_peaks(view.infrared, visible, rig)
    found = [peak for peak in found if peak[1] >= max(MIN_SCORE, RIVAL_SHARE * found[0][1])]
    if not found:
        reason = "infrared and visible share no structure: wrong pair, or no panels in view"
        return replace(nothing, reason=reason)
    away = np.array([centre for centre, _ in found]) - middle(visible.shape)
    offsets = np.asarray(np.linalg.solve(rig.linear(), away.T).T, np.float64)
    positions = Positions(offsets, np.array([score for _, score in found], np.float64))
    pair = replace(nothing, positions=positions)
    clear = len(found) == 1 or found[0][1] >= CLEAR_RATIO * found[1][1]
    return voted(view, pair, offsets[:1], rig) if clear else pair


def voted(
    view: PairView, pair: PairCandidates, offsets_px: Floats, rig: RigGeometry
) -> PairCandidates:
    """Let the blocks of a pair vote at each of these offsets (N, 2), and keep the votes of the best."""
    visible, tried = Scene.of(view.visible), []
    for x, y in offsets_px:
        centre = rig.linear() @ np.array([x, y]) + middle(pair.visible_shape)
        matrix = similarity(rig, centre, pair.infrared_shape)
        votes = vote(view.infrared, visible, matrix, rig.radial)
        tried.append(replace(pair, votes=votes, voted_at_px=(float(x), float(y))))
    return max(tried, key=lambda pair: pair.votes.score if pair.votes else 0.0)
