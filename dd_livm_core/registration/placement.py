"""From votes and choices to each pair's alignment: its place, its status with the reason, its confidence.

The constants were chosen on simulated missions (other seeds than the benchmark's) and on the real pairs;
``python -m benchmarks.alignment`` measures what they lead to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from dd_livm_core.registration.candidates import PairCandidates
from dd_livm_core.registration.consensus import Choice
from dd_livm_core.registration.offset_mixture import CENTRE_REACH_PX
from dd_livm_core.registration.rig import Floats, RigGeometry, centred_matrix, frame_centre
from dd_livm_core.registration.rig_fit import Placement, fit_rig, place_by_votes

Status = Literal["aligned", "consensus", "ambiguous", "failed"]

LEAST_VOTES = 3
"""Votes from which a pair is placed by them, not by its position alone."""
SURE = 0.8
"""Probability from which a pair's position counts as known."""
MOSTLY_SURE = 0.5
"""Share of sure pairs from which a mission's offset also settles a pair that fits in several places near it. Below it,
blocks that agree there would agree one period on as well."""
LEAST_SURE = 3
"""Sure pairs with votes from which a mission can judge the others."""
OWN_SCORE_SHARE, OWN_AGREEMENT = 0.2, 0.35
"""What the votes of a sure pair must reach, or it is a wrong pair: their score as a share of the mission's median, and
their agreement."""
UNSURE_SCORE_SHARE, UNSURE_AGREEMENT = 0.5, 0.6
"""The same for a pair that is unsure by itself and is tried at the mission's offset."""
USUAL_SCORE = 0.3
"""Stands for the mission's median score where too few pairs are sure."""
FARTHEST_PX = 4 * CENTRE_REACH_PX
"""How far from the visible frame's centre a pair that is not sure may be placed, infrared px."""
FOREIGN = "wrong pair, or another station's"


@dataclass(frozen=True)
class Alignment:
    """Where one pair's infrared frame lies in its visible frame.

    Attributes
    ----------
    matrix
        (3, 3), infrared pixels to visible pixels, after ``radial`` (see :class:`RigGeometry`). For a failed pair, the
        frames' centres put together.
    status
        ``aligned``: the pair's own best position stands. ``consensus``: the mission chose another position.
        ``ambiguous``: neither could decide. ``failed``: nothing was found, or it is a wrong pair.
    reason
        Why it has this status, for a person; empty for aligned pairs.
    confidence
        0 to 1, the probability that the position is right. ``python -m benchmarks.alignment`` tables it against the
        share of simulated pairs that lie within 2 px (see ``docs/alignment.md``).
    scale, rotation_deg, radial
        The rig's, which all pairs of a mission share.
    offset_px
        (x, y) of the infrared frame's centre from the visible frame's centre, visible pixels.
    """

    pair_id: str
    matrix: Floats
    status: Status
    reason: str
    confidence: float
    scale: float
    rotation_deg: float
    offset_px: tuple[float, float]
    radial: float = 0.0


def fit_and_place(
    pairs: Sequence[PairCandidates], choices: Sequence[Choice | None], rig: RigGeometry
) -> tuple[list[Alignment], RigGeometry]:
    """Fit the mission's rig to the votes of its sure pairs, then place each pair and decide its status.

    Parameters
    ----------
    pairs
        After their blocks have voted at the chosen positions.
    rig
        As it was estimated from a sample; it stays where the sure pairs' infrared frames differ in size.

    Returns
    -------
    Each pair's alignment, and the fitted rig.
    """
    sure = [
        (pair, pair.votes)
        for pair, choice in zip(pairs, choices, strict=True)
        if pair.votes and choice and choice.probability >= SURE
    ]
    shapes = {pair.infrared_shape for pair, _ in sure}
    if len(shapes) == 1:
        rig = fit_rig([votes for _, votes in sure], next(iter(shapes)), rig)
    scores = [votes.score for _, votes in sure]
    mission = _Judge(
        float(np.median(scores)) if len(scores) >= LEAST_SURE else None,
        len(sure) >= MOSTLY_SURE * sum(choice is not None for choice in choices),
    )
    both = zip(pairs, choices, strict=True)
    return [_place_pair(pair, choice, rig, mission) for pair, choice in both], rig


class _Judge(NamedTuple):
    """What a mission's sure pairs say of the others.

    ``median_score`` is that of the sure pairs' votes, None where these are fewer than ``LEAST_SURE``; ``mostly_sure``
    tells whether they are at least ``MOSTLY_SURE`` of all.
    """

    median_score: float | None
    mostly_sure: bool


def _place_pair(
    pair: PairCandidates, choice: Choice | None, rig: RigGeometry, mission: _Judge
) -> Alignment:
    """Return one pair's alignment."""
    nowhere = Placement(rig.linear(), frame_centre(pair.visible_shape), 0.0)
    if choice is None or pair.votes is None:
        return _make_alignment(pair, rig, nowhere, ("failed", pair.reason), 0.0)
    if len(pair.votes.scores) >= LEAST_VOTES:
        placement = place_by_votes(pair.votes, rig, pair.infrared_shape)
    else:
        centre = rig.linear() @ np.array(pair.voted_at_px) + frame_centre(pair.visible_shape)
        placement = Placement(rig.linear(), centre, 0.0)
    score_share = pair.votes.score / (mission.median_score or USUAL_SCORE)
    quality = score_share, placement.agreement
    several = choice.among_found < SURE and not mission.mostly_sure
    status, reason = _decide(
        choice,
        pair.voted_at_px,
        quality,
        mission_judges=mission.median_score is not None,
        several=several,
    )
    if status == "failed":
        # no wild transform: the frames' centres together, as if nothing had been found
        return _make_alignment(pair, rig, nowhere, (status, reason), 0.0)
    confidence = choice.probability
    if status != "ambiguous":  # its blocks confirm an unsure pair at the mission's offset
        confidence = max(confidence, SURE)
    return _make_alignment(pair, rig, placement, (status, reason), confidence)


def _decide(
    choice: Choice,
    voted_at_px: tuple[float, float],
    quality: tuple[float, float],
    *,
    mission_judges: bool,
    several: bool,
) -> tuple[Status, str]:
    """Return the (status, reason) of a pair whose blocks voted; ``quality`` is their (score share, agreement).

    Parameters
    ----------
    mission_judges
        Whether enough pairs are sure to judge this one.
    several
        Whether the pair fits in several places among which the mission does not tell.
    """
    share, agreement = quality
    if choice.probability >= SURE:
        if share < OWN_SCORE_SHARE or agreement < OWN_AGREEMENT:
            return "failed", f"its blocks disagree: {FOREIGN}"
        if choice.own:
            return "aligned", ""
        return "consensus", "its own best position lies elsewhere; the mission's offset decided"
    if np.linalg.norm(choice.offset_px) > FARTHEST_PX:
        return "failed", f"it fits nowhere near the visible frame's middle: {FOREIGN}"
    if not mission_judges and share < UNSURE_SCORE_SHARE:
        return "failed", f"its blocks find nothing where it fits best: {FOREIGN}"
    if not mission_judges or choice.mission < SURE or several:
        return "ambiguous", "it fits in several places, and the mission does not tell which"
    if share < UNSURE_SCORE_SHARE or agreement < UNSURE_AGREEMENT:
        return "failed", f"it does not fit where the mission's other pairs do: {FOREIGN}"
    if not choice.own or voted_at_px != tuple(choice.offset_px):
        return "consensus", "found at the mission's offset, not by itself"
    return "aligned", ""


def _make_alignment(
    pair: PairCandidates,
    rig: RigGeometry,
    placement: Placement,
    decision: tuple[Status, str],
    confidence: float,
) -> Alignment:
    offset = placement.centre_px - frame_centre(pair.visible_shape)
    status, reason = decision
    return Alignment(
        pair_id=pair.pair_id,
        matrix=centred_matrix(placement.linear, placement.centre_px, pair.infrared_shape),
        status=status,
        reason=reason,
        confidence=confidence,
        scale=rig.scale,
        rotation_deg=rig.rotation_deg,
        offset_px=(float(offset[0]), float(offset[1])),
        radial=rig.radial,
    )
