"""Register infrared to visible images: every pair keeps its candidates, the mission decides.

1. A sample of the mission gives scale and rotation: they belong to the rig.
2. Every pair keeps all positions where it fits; where one is clearly the best, its blocks vote at it
   (:mod:`dd_livm_core.registration.candidates`).
3. The mission's offsets choose each pair's position (:mod:`dd_livm_core.registration.consensus`): rows repeat, so that
   a pair alone often fits one period off. Pairs that get another position than their own best vote again there.
4. All votes together give the final scale, rotation and lens term; each pair's own votes give its offset and status
   (:mod:`dd_livm_core.registration.placement`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.parallel import map_pairs
from dd_livm_core.records import Progress
from dd_livm_core.registration.candidates import (
    PairCandidates,
    PairView,
    estimate_rig,
    find_candidates,
    vote_at,
)
from dd_livm_core.registration.consensus import Choice, choose_positions
from dd_livm_core.registration.offset_mixture import Mixture
from dd_livm_core.registration.placement import SURE, Alignment, fit_and_place
from dd_livm_core.registration.rig import Floats, RigGeometry, resample_to_infrared_grid


class Named(Protocol):
    """What stands for a pair until it is read."""

    @property
    def pair_id(self) -> str:
        """Return the pair's name within its mission."""


Item = TypeVar("Item", bound=Named)
SAMPLE = 6
"""Pairs from which the rig is estimated before all are registered."""
NEAR_DEVIATIONS = 4.0
"""How far from the mission's offsets, in their standard deviations, an unsure pair's likeliest position is tried."""


def align_pairs(
    read: Callable[[Item], PairView],
    items: Sequence[Item],
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> tuple[list[Alignment | InputError], RigGeometry]:
    """Align a mission's pairs, read one at a time by ``read``; memory does not grow with their pixels.

    Parameters
    ----------
    read
        May raise InputError for a pair. Picklable when ``processes`` is over 1.

    Returns
    -------
    Each item's alignment, or the error with which it could not be read; and the mission's rig.
    """
    rig = estimate_rig(_read_sample(read, sorted(items, key=lambda item: item.pair_id)))
    found: list[PairCandidates | InputError] = []
    for pair in map_pairs(partial(_read_candidates, read, rig), items, processes=processes):
        found.append(pair)
        if progress:
            progress(len(found), len(items), "registering")
    readable = [i for i, p in zip(items, found, strict=True) if isinstance(p, PairCandidates)]
    pairs = [pair for pair in found if isinstance(pair, PairCandidates)]
    choices, mixture = choose_positions([pair.positions for pair in pairs])
    offsets = [_offsets_to_try(p, c, mixture) for p, c in zip(pairs, choices, strict=True)]
    waiting = [n for n, of_pair in enumerate(offsets) if len(of_pair)]
    jobs = [(readable[n], pairs[n], offsets[n]) for n in waiting]
    voted = map_pairs(partial(_read_and_vote, read, rig), jobs, processes=processes)
    for n, pair in zip(waiting, voted, strict=True):
        pairs[n] = pair
    alignments, rig = fit_and_place(pairs, choices, rig)
    results = iter(alignments)
    return [next(results) if isinstance(p, PairCandidates) else p for p in found], rig


def resample_visible(
    visible: NDArray[np.uint8], alignment: Alignment, infrared_shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Return a visible image, uint8 (H, W, 3), on the infrared grid (h, w), uint8 (h, w, 3).

    It is black where the visible image has no pixels.
    """
    size = (infrared_shape[1], infrared_shape[0])
    grid = resample_to_infrared_grid(visible, alignment.matrix, size, alignment.radial)
    return np.asarray(grid, np.uint8)


def _read_sample(read: Callable[[Item], PairView], items: Sequence[Item]) -> list[PairView]:
    """Read ``SAMPLE`` pairs spread over the mission, or fewer where others cannot be read."""
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


def _read_candidates(
    read: Callable[[Item], PairView], rig: RigGeometry, item: Item
) -> PairCandidates | InputError:
    """Return a pair's candidates, or the error with which it could not be read."""
    try:
        return find_candidates(read(item), rig)
    except InputError as error:
        return error


def _read_and_vote(
    read: Callable[[Item], PairView], rig: RigGeometry, job: tuple[Item, PairCandidates, Floats]
) -> PairCandidates:
    """Read a pair once more and let its blocks vote at offsets (N, 2)."""
    item, pair, offsets_px = job
    return vote_at(read(item), pair, offsets_px, rig)


def _offsets_to_try(pair: PairCandidates, choice: Choice | None, mixture: Mixture) -> Floats:
    """Return the offsets (N, 2), infrared px, at which a pair's blocks have still to vote; none if they did already."""
    none = np.empty((0, 2))
    if pair.reason or choice is None:
        return none
    if choice.probability < SURE:
        tried = [mixture.means_px]
        if mixture.deviations(choice.offset_px).min() <= NEAR_DEVIATIONS:
            tried.append(choice.offset_px[None])
        return np.concatenate(tried)
    settled = choice.own and pair.votes is not None
    return none if settled else choice.offset_px[None]
