"""Which of its candidate positions each pair of a mission takes.

Rows of panels repeat, so that a pair alone often fits in several places. The offset between the two cameras, however,
belongs to the mission: it varies little, around one value or, where the shutters' time skew turns with the direction
of flight, around two. Offsets are taken as drawn from that mixture (:mod:`dd_livm_core.registration.offset_mixture`);
each pair weighs its positions by how well they fit there and by their own scores.

Where the whole mission fits one period off just as well, no pair can be sure: each pair's probability is multiplied by
that of the mixture against its rivals (:mod:`dd_livm_core.registration.mixture_choice`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.mixture_choice import (
    SAME_PX,
    choose_mixture,
    find_seeds,
    mixture_probabilities,
)
from dd_livm_core.registration.offset_mixture import (
    CENTRE_REACH_PX,
    NO_PRIOR,
    OUTLIER_LOG,
    Floats,
    Mixture,
    OffsetPrior,
    Positions,
    PositionTable,
)

MISSED_LOG = -3.0
"""Log of the share of pairs whose true position was not found. Chosen as the constants of ``offset_mixture``."""


@dataclass(frozen=True)
class Choice:
    """The position that a pair takes.

    Attributes
    ----------
    offset_px
        (2,), infrared px from the visible frame's centre.
    probability
        0 to 1, that this offset is the true one.
    mission
        0 to 1, that the rig and the mission's mixture are right where they place this pair; ``probability`` is at most
        this.
    own
        Whether the offset is also the pair's own best position.
    nearest
        Whether no other of the pair's positions lies nearer to one of the mission's offsets.
    among_found
        0 to 1, that this offset is the true one if that is among the pair's positions at all.
    """

    offset_px: Floats
    probability: float
    mission: float
    own: bool
    nearest: bool = True
    among_found: float = 1.0


def choose_positions(
    pairs: Sequence[Positions], prior: OffsetPrior = NO_PRIOR, rig_probability: float = 1.0
) -> tuple[list[Choice | None], Mixture]:
    """Choose each pair's position by its own scores, by the mission's offsets, and by those of an earlier mission.

    The answer does not depend on the order of the pairs. No pair is surer than the rig is, ``rig_probability``.

    Returns
    -------
    A choice for each pair, None for a pair without positions; and the mixture of the mission's offsets.
    """
    voters = [p for p in pairs if len(p.scores)]
    if not voters:
        nowhere = np.eye(2)[None] * CENTRE_REACH_PX**2
        return [None] * len(pairs), Mixture(np.ones(1), np.zeros((1, 2)), nowhere)
    table = PositionTable.of(voters)
    seeds = find_seeds(table, prior)
    mixture = choose_mixture(table, seeds, prior)
    right = np.full(len(voters), rig_probability)
    if len(voters) > 1:
        right *= mixture_probabilities(table, mixture, seeds, prior)
    mass = table.responsibilities(mixture).sum(axis=0)
    choices = iter(
        [_choose(p, mixture, mass, prior, float(r)) for p, r in zip(voters, right, strict=True)]
    )
    return [next(choices) if len(p.scores) else None for p in pairs], mixture


def _choose(
    positions: Positions, mixture: Mixture, mass: Floats, prior: OffsetPrior, mission: float
) -> Choice:
    """Choose one pair's position by what the mission's other pairs say: a pair must not confirm itself.

    Parameters
    ----------
    mass
        (K,), how many pairs each mode of the mixture explains.
    mission
        Probability that the rig and the mixture are right where they place this pair.
    """
    others = mixture.without(positions, mass, prior)
    density = np.logaddexp.reduce(others.log_density(positions.offsets_px), axis=1)
    # a gust moves a pair off the others by less than it moves to the next place where its rows fit
    nearest = _nearest(positions.offsets_px, others.means_px)
    tails = others.tails().log_density(positions.offsets_px[nearest])
    density[nearest] = np.logaddexp(density[nearest], np.logaddexp.reduce(tails, axis=1))
    log = positions.log_evidence() + density
    best = int(np.argmax(log))
    offset = positions.offsets_px[best]
    near = np.linalg.norm(positions.offsets_px - offset, axis=1) <= SAME_PX
    # where the others know little, a position that was not found is as widely spread as those that were
    outlier = min(OUTLIER_LOG, float(others.log_density(others.means_px).max()) + MISSED_LOG)
    found = np.logaddexp.reduce(log)
    chosen = np.logaddexp.reduce(log[near])
    probability = float(np.exp(chosen - np.logaddexp(found, outlier)))
    own = bool(near[int(np.argmax(positions.scores))])
    return Choice(
        offset,
        mission * probability,
        mission,
        own,
        nearest=best in nearest,
        among_found=float(np.exp(chosen - found)),
    )


def _nearest(offsets_px: Floats, means_px: Floats) -> NDArray[np.intp]:
    """Return which of the offsets (N, 2) lies nearest to each mean (K, 2), (K,) or fewer."""
    away = np.linalg.norm(offsets_px[:, None] - means_px, axis=2)
    return np.unique(away.argmin(axis=0))
