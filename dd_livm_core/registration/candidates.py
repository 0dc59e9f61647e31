"""Candidate positions of one pair, and its blocks' votes there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.block_votes import Votes, vote
from dd_livm_core.registration.frame_match import coarse_peaks
from dd_livm_core.registration.offset_mixture import Positions
from dd_livm_core.registration.rig import (
    Floats,
    RigGeometry,
    VisibleFrame,
    centred_matrix,
    frame_centre,
)
from dd_livm_core.registration.rig_fit import fit_rig
from dd_livm_core.registration.rig_search import search_rigs, weigh_rigs

LEAST_SCORE = 0.12
"""Correlation below which nothing was found: unrelated frames of PV modules reach about 0.1."""
CLEAR_RATIO = 1.05
"""Best over second score from which blocks vote at the best position at once. A rule of thumb without a published
source: a slip by one period costs about 1/M of the correlation where M PV modules and both ends of a row are in view.
It saves time and hardly changes a result, since blocks vote again where the mission chooses another position."""
RIVAL_SHARE = 0.7
"""Score, as a share of the best one's, down to which a position is kept. Chosen on simulated missions."""
BLANK_INFRARED, BLANK_VISIBLE = 1e-3, 2.0
"""An image whose 1st and 99th percentiles differ by less is blank: °C or grey values, and grey values of 0 to 255."""
BLANK_STEP = 4
"""Every so many pixels in x and y are looked at for that."""


@dataclass(frozen=True)
class PairView:
    """One pair's images: infrared float32 (H, W), visible uint8 (H, W, 3) RGB.

    ``radiometric`` tells that infrared is in °C; otherwise it is in grey values.
    """

    pair_id: str
    infrared: NDArray[np.float32]
    visible: NDArray[np.uint8]
    radiometric: bool


@dataclass(frozen=True)
class PairCandidates:
    """What registration finds in one pair alone, small, so that a whole mission's fit in memory.

    Attributes
    ----------
    infrared_shape, visible_shape
        (H, W).
    positions
        Where the infrared frame can lie; none if ``reason`` says why.
    votes
        The blocks' votes, from the offset ``voted_at_px`` (infrared px) on; None before they voted.
    """

    pair_id: str
    infrared_shape: tuple[int, int]
    visible_shape: tuple[int, int]
    positions: Positions
    votes: Votes | None = None
    voted_at_px: tuple[float, float] = (0.0, 0.0)
    reason: str = ""


def estimate_rig(
    views: Sequence[PairView], earlier: RigGeometry | None = None
) -> tuple[RigGeometry, float]:
    """Return the scale and rotation that a mission's pairs share, from a few of them, and how probable these are.

    All frames have the same sizes. Where all pairs are blank, the rig is ``earlier`` or 1 and 0°, with probability 0.

    Parameters
    ----------
    earlier
        The rig of an earlier mission with the same cameras.
    """
    sample = [
        (view.infrared, VisibleFrame.from_rgb(view.visible))
        for view in views
        if not _blank_image(view)
    ]
    if not sample:
        return earlier or RigGeometry(1.0, 0.0), 0.0
    ratio = sample[0][1].shape[1] / sample[0][0].shape[1]
    known = (float(np.log(ratio / earlier.scale)), earlier.rotation_deg) if earlier else None
    best, probability = weigh_rigs(search_rigs(sample, known), known)
    rig = RigGeometry(ratio / float(np.exp(best.log_ratio)), best.rotation_deg)
    votes = []
    for infrared, visible in sample:
        found = coarse_peaks(infrared, visible, rig, count=1)
        if found:
            matrix = centred_matrix(rig.linear(), found[0][0], infrared.shape)
            votes.append(vote(infrared, visible, matrix, rig.radial))
    return fit_rig(votes, sample[0][0].shape, rig), probability


def find_candidates(view: PairView, rig: RigGeometry) -> PairCandidates:
    """Find where a pair's infrared frame can lie in its visible frame.

    Where one position is clearly the best, blocks vote at it; otherwise they wait for the mission's choice.
    """
    visible = VisibleFrame.from_rgb(view.visible)
    nothing = PairCandidates(
        view.pair_id,
        (view.infrared.shape[0], view.infrared.shape[1]),
        visible.shape,
        Positions(np.empty((0, 2)), np.empty(0)),
    )
    blank = _blank_image(view)
    if blank:
        return replace(nothing, reason=f"the {blank} image is blank")
    found = coarse_peaks(view.infrared, visible, rig)
    found = [peak for peak in found if peak[1] >= max(LEAST_SCORE, RIVAL_SHARE * found[0][1])]
    if not found:
        reason = "infrared and visible share no structure: wrong pair, or no panels in view"
        return replace(nothing, reason=reason)
    away = np.array([centre for centre, _ in found]) - frame_centre(visible.shape)
    offsets = np.asarray(np.linalg.solve(rig.linear(), away.T).T, np.float64)
    positions = Positions(offsets, np.array([score for _, score in found], np.float64))
    pair = replace(nothing, positions=positions)
    clear = len(found) == 1 or found[0][1] >= CLEAR_RATIO * found[1][1]
    return vote_at(view, pair, offsets[:1], rig) if clear else pair


def vote_at(
    view: PairView, pair: PairCandidates, offsets_px: Floats, rig: RigGeometry
) -> PairCandidates:
    """Let a pair's blocks vote at each offset (N, 2), infrared px; return the pair with the votes of the highest score.

    N is at least 1.
    """
    visible, tried = VisibleFrame.from_rgb(view.visible), []
    for x, y in offsets_px:
        centre = rig.linear() @ np.array([x, y]) + frame_centre(pair.visible_shape)
        matrix = centred_matrix(rig.linear(), centre, pair.infrared_shape)
        votes = vote(view.infrared, visible, matrix, rig.radial)
        tried.append(replace(pair, votes=votes, voted_at_px=(float(x), float(y))))
    return max(tried, key=lambda pair: pair.votes.score if pair.votes else 0.0)


def _blank_image(view: PairView) -> str:
    """Return which image shows nothing, ``infrared`` or ``visible``, or an empty text."""
    if not np.isfinite(view.infrared).all() or _contrast(view.infrared) < BLANK_INFRARED:
        return "infrared"
    return "visible" if _contrast(view.visible) < BLANK_VISIBLE else ""


def _contrast(image: NDArray[np.generic]) -> float:
    """Return the difference of an image's 1st and 99th percentiles."""
    sample = np.asarray(image)[::BLANK_STEP, ::BLANK_STEP]
    return float(np.ptp(np.percentile(sample, (1, 99))))
