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
from typing import NamedTuple, Protocol, TypeVar

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
from dd_livm_core.registration.earlier_mission import EarlierMission
from dd_livm_core.registration.frame_sizes import (
    FrameSizes,
    bring_to_size,
    most_common_sizes,
    take_back,
)
from dd_livm_core.registration.offset_mixture import NO_PRIOR, Mixture
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
NEAR_PX = 10.0
"""The same in infrared px, where the position is the pair's own best, and no other is nearer: a gust or a late
shutter moves a single pair farther than a steady mission's spread."""


def align_pairs(
    read: Callable[[Item], PairView],
    items: Sequence[Item],
    *,
    earlier: EarlierMission | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> tuple[list[Alignment | InputError], RigGeometry]:
    """Align a mission's pairs, read one at a time by ``read``; memory does not grow with their pixels.

    Pairs whose frames are neither as large as most pairs' nor a plain rescaling of them are aligned among themselves.

    Parameters
    ----------
    read
        May raise InputError for a pair. Picklable when ``processes`` is over 1.
    earlier
        A mission of the same drone and cameras: it narrows where the rig and the offsets lie.

    Returns
    -------
    Each item's alignment, or the error with which it could not be read; and the rig of most pairs.
    """
    results: list[Alignment | InputError | None] = [None] * len(items)
    rigs: list[tuple[int, RigGeometry]] = []
    waiting = list(range(len(items)))
    while waiting:
        group = [items[number] for number in waiting]
        found, rig = _align_group(read, group, earlier, processes, progress)
        for number, result in zip(waiting, found, strict=True):
            results[number] = result
        left = [number for number in waiting if results[number] is None]
        rigs.append((len(waiting) - len(left), rig))
        waiting, progress = left, None
    most = max(rigs, key=lambda group: group[0])[1] if rigs else RigGeometry(1.0, 0.0)
    return [result for result in results if result is not None], most


def _align_group(
    read: Callable[[Item], PairView],
    items: Sequence[Item],
    earlier: EarlierMission | None,
    processes: int,
    progress: Progress | None,
) -> tuple[list[Alignment | InputError | None], RigGeometry]:
    """Align the pairs whose frames have the sizes of most; the others' places hold None.

    At least one item is aligned or unreadable.
    """
    views = _read_sample(read, sorted(items, key=lambda item: item.pair_id))
    sizes = most_common_sizes(views)
    views = [view for view in views if FrameSizes.of(view) == sizes]
    known = earlier.rig_at(sizes) if earlier and sizes else None
    rig, sure = estimate_rig(views, known)
    found: list[_Found | InputError | None] = []
    for pair in map_pairs(partial(_read_candidates, read, sizes, rig), items, processes=processes):
        found.append(pair)
        if progress:
            progress(len(found), len(items), "registering")
    results: list[Alignment | InputError | None] = [
        None if isinstance(pair, _Found) else pair for pair in found
    ]
    readable = [n for n, pair in enumerate(found) if isinstance(pair, _Found)]
    if sizes is None or not readable:
        return results, rig
    pairs = [pair.candidates for pair in found if isinstance(pair, _Found)]
    same = earlier is not None and earlier.has_rig(rig, sizes)
    prior = earlier.offsets_at(sizes) if earlier and same else NO_PRIOR
    choices, mixture = choose_positions([pair.positions for pair in pairs], prior, sure)
    offsets = [_offsets_to_try(p, c, mixture) for p, c in zip(pairs, choices, strict=True)]
    waiting = [n for n, of_pair in enumerate(offsets) if len(of_pair)]
    jobs = [(items[readable[n]], pairs[n], offsets[n]) for n in waiting]
    voted = map_pairs(partial(_read_and_vote, read, sizes, rig), jobs, processes=processes)
    for n, candidates in zip(waiting, voted, strict=True):
        pairs[n] = candidates
    alignments, rig = fit_and_place(pairs, choices, rig)
    own = [pair.sizes for pair in found if isinstance(pair, _Found)]
    for n, alignment, own_sizes in zip(readable, alignments, own, strict=True):
        results[n] = take_back(alignment, own_sizes, sizes)
    return results, rig


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


class _Found(NamedTuple):
    """A pair's candidates at the sizes of its group, and its frames' own sizes."""

    candidates: PairCandidates
    sizes: FrameSizes


def _read_candidates(
    read: Callable[[Item], PairView], sizes: FrameSizes | None, rig: RigGeometry, item: Item
) -> _Found | InputError | None:
    """Return a pair's candidates, None where its frames cannot be brought to these sizes, or why it is unreadable."""
    try:
        view = read(item)
    except InputError as error:
        return error
    own = FrameSizes.of(view)
    if sizes is None or not own.is_rescaling_of(sizes):
        return None
    return _Found(find_candidates(bring_to_size(view, sizes), rig), own)


def _read_and_vote(
    read: Callable[[Item], PairView],
    sizes: FrameSizes,
    rig: RigGeometry,
    job: tuple[Item, PairCandidates, Floats],
) -> PairCandidates:
    """Read a pair once more, bring it to these sizes and let its blocks vote at offsets (N, 2)."""
    item, pair, offsets_px = job
    return vote_at(bring_to_size(read(item), sizes), pair, offsets_px, rig)


def _offsets_to_try(pair: PairCandidates, choice: Choice | None, mixture: Mixture) -> Floats:
    """Return the offsets (N, 2), infrared px, at which a pair's blocks have still to vote; none if they did already."""
    none = np.empty((0, 2))
    if pair.reason or choice is None:
        return none
    if choice.probability < SURE:
        tried = [mixture.means_px]
        away_px = np.linalg.norm(mixture.means_px - choice.offset_px, axis=1).min()
        near = mixture.deviations(choice.offset_px).min() <= NEAR_DEVIATIONS
        if near or (choice.own and choice.nearest and away_px <= NEAR_PX):
            tried.append(choice.offset_px[None])
        return np.concatenate(tried)
    settled = choice.own and pair.votes is not None
    return none if settled else choice.offset_px[None]
