"""Which of its possible positions each pair of a mission is meant to have.

Rows of panels repeat, so that a pair alone often fits in several places. The offset between the two cameras,
however, belongs to the mission: it varies little, around one value or, where the shutters' time skew turns with
the direction of flight, around two. Offsets are taken as drawn from that mixture; each pair weighs its positions
by how well they fit there and by their own scores. The mixture is estimated from all pairs at once
(expectation maximisation), beginning where most pairs have a good position.

Where no pair shows anything longer than a period, all pairs of a mission fit one period off just as well. So the
mixture is held against its rivals, which begin at other places: what they leave of the probability is every pair's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCORE_SCALE = 0.02
"""Loss of correlation that makes a position e times less likely."""
SEED_REACH_PX = 8.0
CENTRE_REACH_PX = 60.0
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
ROUNDS, SETTLED_PX = 30, 0.02
RIVALS, RIVAL_APART_PX, RIVAL_SHARE = 6, 8.0, 0.25
"""Rival places that are tried, how far apart, and the share of pairs that a rival must place elsewhere."""
TELLING_LOG = 1.5
"""Difference (natural logarithm) of a pair's fit between two mixtures that lens, light and a row's own unevenness
make in all pairs alike."""
MODE_PAIRS, MODE_SHARE, MODE_LOG = 3, 0.1, 2.0
"""A second mode outside the first is one where so many pairs, and such a share, fit better by this much."""


@dataclass(frozen=True)
class Positions:
    """One pair's possible offsets (N, 2) in infrared px from the visible frame's centre, with scores (N,)."""

    offsets_px: Floats
    scores: Floats


@dataclass(frozen=True)
class Choice:
    """The offset (2,) in infrared px that a pair is meant to have, and the probability that it is that one.

    ``mission`` is the probability that the mission's offsets are right at all where they place this pair; ``own`` where
    the offset is also the pair's own best position.
    """

    offset_px: Floats
    probability: float
    mission: float
    own: bool


@dataclass(frozen=True)
class Mixture:
    """The offsets of a mission: shares (K,), means (K, 2), covariances (K, 2, 2), in infrared px."""

    shares: Floats
    means_px: Floats
    covariances: Floats

    def deviations(self, offset_px: Floats) -> Floats:
        """Return how many standard deviations an offset (2,) lies from each mode, (K,)."""
        away = offset_px - self.means_px
        inverse = np.linalg.inv(self.covariances)
        return np.asarray(np.sqrt(np.einsum("ki,kij,kj->k", away, inverse, away)))

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
    seeds = table.seeds()
    mixture = table.two_modes(table.mixture(seeds[:1]), seeds)
    sure = table.probabilities(mixture, seeds) if len(voters) > 1 else np.ones(1)
    total = table.mass(mixture)
    chosen = [_choose(p, mixture, total, float(s)) for p, s in zip(voters, sure, strict=True)]
    ended = iter(chosen)
    return [next(ended) if len(p.scores) else None for p in pairs], mixture


def _choose(positions: Positions, mixture: Mixture, mass: Floats, sure: float) -> Choice:
    """Choose by what the mission's other pairs say: a pair must not confirm itself.

    ``sure`` is the probability of the mixture, where it places this pair.
    """
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
    own = bool(near[int(np.argmax(positions.scores))])
    return Choice(offset, sure * probability, sure, own)


def _rivals(means_px: Floats, seeds: Floats) -> list[Floats]:
    """Return means (K, 2) to begin rivals of a mixture at: all its modes moved, or one of two."""
    rivals = [means_px + seed - seeds[0] for seed in seeds[1:]]
    if len(means_px) > 1:
        rivals += [np.array([mean, seed]) for mean in means_px for seed in seeds]
    return rivals


def _evidence(scores: Floats) -> Floats:
    return np.asarray((scores - scores.max()) / SCORE_SCALE)


@dataclass(frozen=True)
class _Table:
    """All voters' positions in one table: pair number, offset, evidence; and which voter each pair number is."""

    pair: NDArray[np.intp]
    offsets_px: Floats
    evidence: Floats
    voter: NDArray[np.intp]

    @property
    def count(self) -> int:
        return len(self.voter)

    @classmethod
    def of(cls, voters: Sequence[Positions]) -> "_Table":
        """Tabulate, in an order that depends on the content alone."""
        order = sorted(range(len(voters)), key=lambda n: voters[n].offsets_px.tolist())
        ordered = [voters[n] for n in order]
        return cls(
            np.repeat(np.arange(len(ordered)), [len(p.scores) for p in ordered]),
            np.concatenate([p.offsets_px for p in ordered]),
            np.concatenate([_evidence(p.scores) for p in ordered]),
            np.array(order, np.intp),
        )

    def seeds(self) -> Floats:
        """Return the offsets that most pairs' positions support, (N, 2), best first."""
        voters = self.pair % max(1, self.count // MOST_VOTERS) == 0
        pair, offsets, evidence = self.pair[voters], self.offsets_px[voters], self.evidence[voters]
        good = np.flatnonzero(evidence > OUTLIER_LOG)
        places = offsets[good[:: max(1, len(good) // MOST_SEEDS)]]
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        support = np.array(
            [
                np.maximum.reduceat(
                    evidence - np.sum((offsets - place) ** 2, axis=1) / (2 * SEED_REACH_PX**2),
                    starts,
                )
                .clip(OUTLIER_LOG)
                .sum()
                for place in places
            ]
        )
        support -= np.sum(places**2, axis=1) / (2 * CENTRE_REACH_PX**2)
        kept: list[Floats] = []
        for place in places[np.argsort(-support, kind="stable")]:
            if all(np.linalg.norm(place - other) > RIVAL_APART_PX for other in kept):
                kept.append(place)
            if len(kept) > RIVALS:
                break
        return np.array(kept)

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
            moved = float(np.abs(means - found.means_px).max())
            found = Mixture(shares, means, np.array(covariances))
            if moved < SETTLED_PX:
                break
        return found

    def mass(self, mixture: Mixture) -> Floats:
        """Return how many pairs each mode explains, (K,)."""
        return np.asarray(self._shares(mixture).sum(axis=0))

    def _joint(self, mixture: Mixture) -> Floats:
        """Return evidence plus log density of each position in each mode, (N, K)."""
        return self.evidence[:, None] + mixture.log_density(self.offsets_px)

    def _starts(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.diff(self.pair, prepend=-1))

    def log_likelihood(self, mixture: Mixture) -> Floats:
        """Return the log of each pair's total over its positions, the modes and the outlier, (pairs,)."""
        summed = np.logaddexp.reduce(self._joint(mixture), axis=1)
        return np.asarray(np.logaddexp(np.logaddexp.reduceat(summed, self._starts()), OUTLIER_LOG))

    def _shares(self, mixture: Mixture) -> Floats:
        joint = self._joint(mixture)
        return np.exp(joint - self.log_likelihood(mixture)[self.pair][:, None])

    def two_modes(self, one: Mixture, seeds: Floats) -> Mixture:
        """Return the mixture of two modes that explains the mission better than this single one, or the latter."""
        before, best, most = self.log_likelihood(one), one, 0.0
        for begin in self._splits(one, seeds):
            two = self.mixture(begin)
            gains = self.log_likelihood(two) - before
            # two modes cost six parameters more (Schwarz' criterion)
            gain = float(gains.sum()) - 3 * float(np.log(self.count))
            within = one.log_density(two.means_px).max(axis=1).min() > OUTLIER_LOG
            telling = int((gains > MODE_LOG).sum())
            if not within and telling < max(MODE_PAIRS, MODE_SHARE * self.count):
                continue
            if gain > most:
                best, most = two, gain
        return best

    def _splits(self, one: Mixture, seeds: Floats) -> list[Floats]:
        """Return pairs of means (2, 2) to begin two modes at: along one mode's long axis, or at it and elsewhere."""
        begins = [np.array([one.means_px[0], seed]) for seed in seeds[1:]]
        values, vectors = np.linalg.eigh(one.covariances[0])
        if np.sqrt(values[1]) >= 2 * LEAST_SPREAD_PX:
            away = np.sqrt(values[1]) * vectors[:, 1]
            begins.append(np.array([one.means_px[0] - away, one.means_px[0] + away]))
        return begins

    def probabilities(self, mixture: Mixture, seeds: Floats) -> Floats:
        """Return the probability of a mixture against those that place a pair elsewhere, 0 to 1 for each voter.

        What no pair alone can tell counts once and not for each pair: it may be the same in all of them.
        """
        likelihood, chosen = self.log_likelihood(mixture), self._chosen(mixture)
        against = np.zeros(self.count)
        for begin in _rivals(mixture.means_px, seeds):
            rival = self.mixture(begin)
            moved = np.linalg.norm(self._chosen(rival) - chosen, axis=1) > SAME_PX
            if moved.mean() < RIVAL_SHARE:
                continue
            differ = likelihood - self.log_likelihood(rival)
            shared = np.clip(differ, -TELLING_LOG, TELLING_LOG)
            against += moved * np.exp(-float((differ - shared).sum() + shared.mean()))
        sure = np.empty(self.count)
        sure[self.voter] = 1 / (1 + against)
        return sure

    def _chosen(self, mixture: Mixture) -> Floats:
        """Return each pair's likeliest position under a mixture, (pairs, 2)."""
        summed = np.logaddexp.reduce(self._joint(mixture), axis=1)
        order = np.lexsort((-summed, self.pair))
        return np.asarray(self.offsets_px[order[self._starts()]])
