"""Which of its possible positions each pair of a mission is meant to have.

Rows of panels repeat, so that a pair alone often fits in several places. The offset between the two cameras,
however, belongs to the mission: it varies little, around one value or, where the shutters' time skew turns with
the direction of flight, around two. Offsets are taken as drawn from that mixture; each pair weighs its positions
by how well they fit there and by their own scores. The mixture is estimated from all pairs at once
(expectation maximisation), beginning where most pairs have a good position.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCORE_SCALE = 0.02
"""Loss of correlation that makes a position e times less likely."""
SEED_REACH_PX = 8.0
CENTRE_REACH_PX = 80.0
"""How far from the visible frame's centre the cameras' common centre may plausibly lie (one sigma)."""
OUTLIER_LOG = -6.0
"""Log of the density left for pairs whose true position is not among those found."""
MISSED_LOG = -3.0
"""Log of the share of pairs whose true position is not among those found."""
PRIOR_PAIRS, PRIOR_SPREAD_PX = 2.0, 4.0
"""The mission's spread is taken as if so many pairs with this spread had been seen before."""
LEAST_SPREAD_PX = 1.5
MOST_VOTERS = 200
MOST_SEEDS = 1500
SAME_PX = 4.0
"""Positions this close are one."""
ROUNDS = 30


@dataclass(frozen=True)
class Positions:
    """One pair's possible offsets (N, 2) in infrared px from the visible frame's centre, with scores (N,)."""

    offsets_px: Floats
    scores: Floats


@dataclass(frozen=True)
class Choice:
    """The offset (2,) in infrared px that a pair is meant to have, and the probability that it is that one.

    ``own`` where it is also the pair's own best position.
    """

    offset_px: Floats
    probability: float
    own: bool


@dataclass(frozen=True)
class Mixture:
    """The offsets of a mission: shares (K,), means (K, 2), covariances (K, 2, 2), in infrared px."""

    shares: Floats
    means_px: Floats
    covariances: Floats

    def log_density(self, offsets_px: Floats) -> Floats:
        """Return each mode's log density at offsets (N, 2), (N, K), relative to the tightest possible mode's peak."""
        away = offsets_px[:, None] - self.means_px
        squared = np.einsum("nki,kij,nkj->nk", away, np.linalg.inv(self.covariances), away)
        spread = 0.5 * np.log(np.linalg.det(self.covariances) / LEAST_SPREAD_PX**4)
        return np.asarray(np.log(self.shares) - spread - squared / 2)

    def responsibilities(self, positions: Positions) -> Floats:
        """Return how much of a pair each position in each mode explains, (N, K); sums to 1 at most."""
        joint = _evidence(positions.scores)[:, None] + self.log_density(positions.offsets_px)
        return np.asarray(
            np.exp(joint - np.logaddexp(np.logaddexp.reduce(joint, axis=None), OUTLIER_LOG))
        )

    def without(self, positions: Positions, mass: Floats) -> "Mixture":
        """Return what the others of ``mass`` (K,) pairs predict for this one: fewer of them, less surely."""
        share = self.responsibilities(positions)
        own = share.sum(axis=0)
        left = np.maximum(mass - own, 0.0)
        variance = np.trace(self.covariances, axis1=1, axis2=2) / 2
        prior = variance / CENTRE_REACH_PX**2
        summed = mass[:, None] * self.means_px - share.T @ positions.offsets_px
        weight = 1 / (left + prior)
        wider = (variance * weight)[:, None, None] * np.eye(2)
        return Mixture(self.shares, summed * weight[:, None], self.covariances + wider)


def agree(pairs: Sequence[Positions]) -> tuple[list[Choice | None], Mixture]:
    """Choose each pair's position from the mission's; None for a pair without any.

    The answer does not depend on the order of the pairs.
    """
    voters = [p for p in pairs if len(p.scores)]
    if not voters:
        nowhere = np.eye(2)[None] * CENTRE_REACH_PX**2
        return [None] * len(pairs), Mixture(np.ones(1), np.zeros((1, 2)), nowhere)
    table = _Table.of(voters)
    seed = table.best_seed()
    one = table.mixture(np.array([seed]))
    mixture = one
    split = table.split(one)
    if split is not None:
        two = table.mixture(split)
        # two modes cost six parameters more (Schwarz' criterion)
        gain = table.log_likelihood(two) - table.log_likelihood(one)
        mixture = two if gain > 3 * np.log(len(voters)) else one
    total = table.mass(mixture)
    return [_choose(p, mixture, total) if len(p.scores) else None for p in pairs], mixture


def _choose(positions: Positions, mixture: Mixture, mass: Floats) -> Choice:
    """Choose by what the mission's other pairs say: a pair must not confirm itself."""
    others = mixture.without(positions, mass)
    density = np.logaddexp.reduce(others.log_density(positions.offsets_px), axis=1)
    log = _evidence(positions.scores) + density
    best = int(np.argmax(log))
    offset = positions.offsets_px[best]
    near = np.linalg.norm(positions.offsets_px - offset, axis=1) <= SAME_PX
    # Where the others know little, a position that was not found is as widely spread as those that were.
    outlier = min(OUTLIER_LOG, float(others.log_density(others.means_px).max()) + MISSED_LOG)
    total = np.logaddexp(np.logaddexp.reduce(log), outlier)
    probability = float(np.exp(np.logaddexp.reduce(log[near]) - total))
    return Choice(offset, probability, bool(near[int(np.argmax(positions.scores))]))


def _evidence(scores: Floats) -> Floats:
    return np.asarray((scores - scores.max()) / SCORE_SCALE)


@dataclass(frozen=True)
class _Table:
    """All voters' positions in one table: pair number, offset, evidence."""

    pair: NDArray[np.intp]
    offsets_px: Floats
    evidence: Floats
    count: int

    @classmethod
    def of(cls, voters: Sequence[Positions]) -> "_Table":
        """Tabulate, in an order that depends on the content alone."""
        order = sorted(range(len(voters)), key=lambda n: voters[n].offsets_px.tolist())
        ordered = [voters[n] for n in order]
        return cls(
            np.repeat(np.arange(len(ordered)), [len(p.scores) for p in ordered]),
            np.concatenate([p.offsets_px for p in ordered]),
            np.concatenate([_evidence(p.scores) for p in ordered]),
            len(ordered),
        )

    def best_seed(self) -> Floats:
        """Return the offset that most pairs' positions support, (2,)."""
        voters = self.pair % max(1, self.count // MOST_VOTERS) == 0
        pair, offsets, evidence = self.pair[voters], self.offsets_px[voters], self.evidence[voters]
        good = np.flatnonzero(evidence > OUTLIER_LOG)
        seeds = offsets[good[:: max(1, len(good) // MOST_SEEDS)]]
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        support = np.array(
            [
                np.maximum.reduceat(
                    evidence - np.sum((offsets - seed) ** 2, axis=1) / (2 * SEED_REACH_PX**2),
                    starts,
                )
                .clip(OUTLIER_LOG)
                .sum()
                for seed in seeds
            ]
        )
        support -= np.sum(seeds**2, axis=1) / (2 * CENTRE_REACH_PX**2)
        return np.asarray(seeds[int(np.argmax(support))])

    def mixture(self, means_px: Floats) -> Mixture:
        """Estimate the mixture that begins at these means (K, 2)."""
        modes = len(means_px)
        wide = np.eye(2) * SEED_REACH_PX**2
        found = Mixture(np.full(modes, 1 / modes), means_px, np.repeat(wide[None], modes, axis=0))
        prior = np.eye(2) * PRIOR_SPREAD_PX**2
        for _ in range(ROUNDS):
            share = self._shares(found)
            mass = share.sum(0)
            means = (share.T @ self.offsets_px) / np.maximum(mass, 1e-9)[:, None]
            covariances = []
            for mode in range(modes):
                away = self.offsets_px - means[mode]
                scatter = (share[:, mode, None] * away).T @ away
                covariance = (scatter + PRIOR_PAIRS * prior) / (mass[mode] + PRIOR_PAIRS)
                covariances.append(covariance + np.eye(2) * LEAST_SPREAD_PX**2)
            shares = (mass + 1) / (mass.sum() + modes)
            found = Mixture(shares, means, np.array(covariances))
        return found

    def mass(self, mixture: Mixture) -> Floats:
        """Return how many pairs each mode explains, (K,)."""
        return np.asarray(self._shares(mixture).sum(axis=0))

    def _joint(self, mixture: Mixture) -> Floats:
        """Return evidence plus log density of each position in each mode, (N, K)."""
        return self.evidence[:, None] + mixture.log_density(self.offsets_px)

    def _normaliser(self, joint: Floats) -> Floats:
        """Return the log of each pair's total over its positions, its modes and the outlier."""
        starts = np.flatnonzero(np.diff(self.pair, prepend=-1))
        total = np.logaddexp.reduceat(np.logaddexp.reduce(joint, axis=1), starts)
        return np.asarray(np.logaddexp(total, OUTLIER_LOG))

    def _shares(self, mixture: Mixture) -> Floats:
        joint = self._joint(mixture)
        return np.exp(joint - self._normaliser(joint)[self.pair][:, None])

    def log_likelihood(self, mixture: Mixture) -> float:
        """Return the log likelihood of all pairs' positions."""
        return float(self._normaliser(self._joint(mixture)).sum())

    def split(self, mixture: Mixture) -> Floats | None:
        """Return two means (2, 2) on either side of a single mode, along its long axis; None if it is tight."""
        values, vectors = np.linalg.eigh(mixture.covariances[0])
        if np.sqrt(values[1]) < 2 * LEAST_SPREAD_PX:
            return None
        away = np.sqrt(values[1]) * vectors[:, 1]
        return np.array([mixture.means_px[0] - away, mixture.means_px[0] + away])
