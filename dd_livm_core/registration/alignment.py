"""Register infrared to visible images: every pair keeps its candidates, the mission decides.

1. A sample of the mission gives scale and rotation: they belong to the rig.
2. Every pair keeps all positions where it fits; where one is clearly the best, its blocks vote at it
   (:mod:`dd_livm_core.registration.candidates`).
3. The mission agrees on its offset (:mod:`dd_livm_core.registration.consensus`): rows repeat, so that a pair
   alone often fits one period off. Pairs that are meant to lie elsewhere than at their own best vote again there.
4. All votes together give the final scale, rotation and lens; each pair's own votes give its offset.

:func:`align_pairs` is all of it, for pairs that are read one at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.parallel import map_pairs
from dd_livm_core.records import Progress
from dd_livm_core.registration.block_votes import fit_rig, placed_by
from dd_livm_core.registration.candidates import (
    PairCandidates,
    PairView,
    mission_rig,
    register_pair,
    voted,
)
from dd_livm_core.registration.consensus import CENTRE_REACH_PX, Choice, Mixture, agree
from dd_livm_core.registration.rig import (
    Floats,
    RigGeometry,
    middle,
    on_infrared_grid,
)


class Named(Protocol):
    """What stands for a pair until it is read."""

    @property
    def pair_id(self) -> str:
        """Return the pair's name within its mission."""


Item = TypeVar("Item", bound=Named)
Status = Literal["aligned", "consensus", "ambiguous", "failed"]

SAMPLE = 6
LEAST_VOTES = 3
SURE = 0.8
"""Probability from which a pair's position counts as known."""
OWN_SCORE_SHARE, OWN_AGREEING = 0.2, 0.35
"""What the blocks of a pair must reach at its own position: their score against the mission's median, and the share
of it that agrees."""
LEAST_SCORE_SHARE, LEAST_AGREEING = 0.5, 0.6
"""The same for a pair that is unsure of itself, at the mission's offset."""
NEAR_DEVIATIONS = 4.0
"""How far from the mission's offsets, in their standard deviations, an unsure pair's likeliest position is tried."""
USUAL_SCORE = 0.3
"""What stands for the mission's median score where too few pairs are sure."""
FARTHEST_PX = 4 * CENTRE_REACH_PX
"""How far from the visible frame's centre a pair that is not sure may be placed, infrared px."""
LEAST_SURE = 3
"""Sure pairs from which a mission can judge the others."""
FOREIGN = "wrong pair, or another station's"


@dataclass(frozen=True)
class Alignment:
    """Where one pair's infrared frame lies in its visible frame.

    Attributes
    ----------
    matrix
        (3, 3), infrared pixels to visible pixels, after ``radial`` (see :class:`RigGeometry`); of a failed pair, the
        frames' middles put together.
    status
        ``aligned`` where the pair's own best position stands, ``consensus`` where the mission chose another of its
        positions, ``ambiguous`` where neither could decide, ``failed`` where nothing was found.
    confidence
        0 to 1: the share of pairs with this confidence that lie within 2 px, as calibrated on simulated stations.
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
    radial: float = 0.0


def align_pairs(
    read: Callable[[Item], PairView],
    items: Sequence[Item],
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> tuple[list[Alignment | InputError], RigGeometry]:
    """Align a mission's pairs, read one at a time by ``read``; memory does not grow with their pixels.

    Returns
    -------
    Each item's alignment, or the error with which it could not be read; and the mission's rig.
    """
    rig = mission_rig(_sample(read, sorted(items, key=lambda item: item.pair_id)))
    found: list[PairCandidates | InputError] = []
    for pair in map_pairs(partial(_register, read, rig), items, processes=processes):
        found.append(pair)
        if progress:
            progress(len(found), len(items), "registering")
    numbers = [n for n, pair in enumerate(found) if isinstance(pair, PairCandidates)]
    pairs = [pair for pair in found if isinstance(pair, PairCandidates)]
    choices, mixture = agree([pair.positions for pair in pairs])
    again = [
        (n, offsets)
        for n, (pair, choice) in enumerate(zip(pairs, choices, strict=True))
        if len(offsets := _where_again(pair, choice, mixture))
    ]
    jobs = [(items[numbers[n]], pairs[n], offsets) for n, offsets in again]
    revoted = map_pairs(partial(_vote_again, read, rig), jobs, processes=processes)
    for (n, _), pair in zip(again, revoted, strict=True):
        pairs[n] = pair
    alignments, rig = conclude(pairs, choices, mixture, rig)
    ended = iter(alignments)
    return [next(ended) if isinstance(p, PairCandidates) else p for p in found], rig


def _where_again(pair: PairCandidates, choice: Choice | None, mixture: Mixture) -> Floats:
    """Return the offsets (N, 2) at which a pair's blocks have still to vote."""
    if pair.reason or choice is None:
        return np.empty((0, 2))
    if choice.probability < SURE:
        tried = [mixture.means_px]
        if mixture.deviations(choice.offset_px).min() <= NEAR_DEVIATIONS:
            tried.append(choice.offset_px[None])
        return np.concatenate(tried)
    settled = choice.own and pair.votes is not None
    return np.empty((0, 2)) if settled else choice.offset_px[None]


def _sample(read: Callable[[Item], PairView], items: Sequence[Item]) -> list[PairView]:
    """Read a few pairs spread over the mission, those that can be read."""
    views: list[PairView] = []
    spread = np.linspace(0, len(items) - 1, min(2 * SAMPLE, len(items))).astype(int)
    for number in dict.fromkeys([*spread[::2], *spread[1::2]]):
        try:
            views.append(read(items[int(number)]))
        except InputError:
            continue
        if len(views) == SAMPLE:
            break
    return views


def _register(
    read: Callable[[Item], PairView], rig: RigGeometry, item: Item
) -> PairCandidates | InputError:
    try:
        return register_pair(read(item), rig)
    except InputError as error:
        return error


def _vote_again(
    read: Callable[[Item], PairView], rig: RigGeometry, job: tuple[Item, PairCandidates, Floats]
) -> PairCandidates:
    item, pair, offsets_px = job
    return voted(read(item), pair, offsets_px, rig)


def conclude(
    pairs: Sequence[PairCandidates],
    choices: Sequence[Choice | None],
    mixture: Mixture,
    rig: RigGeometry,
) -> tuple[list[Alignment], RigGeometry]:
    """Fit the mission's rig to all votes, and give each pair its offset, status and confidence."""
    sure = [
        pair
        for pair, choice in zip(pairs, choices, strict=True)
        if pair.votes and choice and choice.probability >= SURE
    ]
    shapes = {pair.infrared_shape for pair in sure}
    if len(shapes) == 1:
        rig = fit_rig([pair.votes for pair in sure if pair.votes], next(iter(shapes)), rig)
    scores = [pair.votes.score for pair in sure if pair.votes]
    typical = float(np.median(scores)) if len(scores) >= LEAST_SURE else None
    return [_concluded(p, c, rig, typical) for p, c in zip(pairs, choices, strict=True)], rig


def _concluded(
    pair: PairCandidates, choice: Choice | None, rig: RigGeometry, typical: float | None
) -> Alignment:
    """Give one pair its end; ``typical`` is the mission's median score, None where too few pairs are sure."""
    if choice is None or pair.votes is None:
        centre = middle(pair.visible_shape)
        return _result(pair, rig, centre, rig.linear(), "failed", pair.reason, 0.0)
    centre = rig.linear() @ np.array(pair.voted_at_px) + middle(pair.visible_shape)
    linear, agreeing = rig.linear(), 0.0
    if len(pair.votes.scores) >= LEAST_VOTES:
        centre, linear, agreeing = placed_by(pair.votes, rig, pair.infrared_shape)
    share = pair.votes.score / (typical or USUAL_SCORE)
    probability, reason = choice.probability, ""
    status: Status = "aligned"
    if probability >= SURE:
        if share < OWN_SCORE_SHARE or agreeing < OWN_AGREEING:
            status, reason = "failed", f"its blocks disagree: {FOREIGN}"
        elif not choice.own:
            status = "consensus"
            reason = "its own best position lies elsewhere; the mission's offset decided"
    elif np.linalg.norm(choice.offset_px) > FARTHEST_PX:
        status, reason = "failed", f"it fits nowhere near the visible frame's middle: {FOREIGN}"
    elif typical is None and share < LEAST_SCORE_SHARE:
        status, reason = "failed", f"its blocks find nothing where it fits best: {FOREIGN}"
    elif typical is None or choice.mission < SURE:
        status = "ambiguous"
        reason = "it fits in several places, and the mission does not tell which"
    elif share >= LEAST_SCORE_SHARE and agreeing >= LEAST_AGREEING:
        probability = SURE
        if not choice.own or pair.voted_at_px != tuple(choice.offset_px):
            status, reason = "consensus", "found at the mission's offset, not by itself"
    else:
        status, reason = "failed", f"it does not fit where the mission's other pairs do: {FOREIGN}"
    if status == "failed":
        # no wild transform: the frames' middles together, as if nothing had been found
        return _result(pair, rig, middle(pair.visible_shape), rig.linear(), status, reason, 0.0)
    return _result(pair, rig, centre, linear, status, reason, probability)


def _result(
    pair: PairCandidates,
    rig: RigGeometry,
    centre: Floats,
    linear: Floats,
    status: Status,
    reason: str,
    confidence: float,
) -> Alignment:
    offset = centre - middle(pair.visible_shape)
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ middle(pair.infrared_shape)
    return Alignment(
        pair.pair_id,
        matrix,
        status,
        reason,
        confidence,
        rig.scale,
        rig.rotation_deg,
        (float(offset[0]), float(offset[1])),
        rig.radial,
    )


def resample_visible(
    visible: NDArray[np.uint8], alignment: Alignment, infrared_shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Bring a visible image onto the infrared grid, uint8 (H, W, 3); black where it has no pixels."""
    size = (infrared_shape[1], infrared_shape[0])
    return np.asarray(on_infrared_grid(visible, alignment.matrix, size, alignment.radial), np.uint8)
