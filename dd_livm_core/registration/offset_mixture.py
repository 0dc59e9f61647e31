"""A mission's offsets as a Gaussian mixture, fitted to the candidate positions of all its pairs.

Each pair has one true offset, which is among its candidates or was not found. The mixture's modes, and which candidate
is the true one, are estimated together by expectation maximisation (Dempster, Laird & Rubin, 1977).

The constants were chosen on simulated missions (other seeds than the benchmark's) and on the real pairs;
``python -m benchmarks.alignment`` measures what they lead to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCORE_SCALE = 0.02
"""Loss of correlation that makes a position e times less likely."""
CENTRE_REACH_PX = 60.0
"""How far from the visible frame's centre a mission's offsets may plausibly lie (one sigma)."""
OUTLIER_LOG = -6.0
"""Log of the density that stands for a true position which was not found."""
PRIOR_PAIRS, PRIOR_SPREAD_PX = 2.0, 4.0
"""A mode's spread is estimated as if so many pairs with this spread had been seen before."""
LEAST_SPREAD_PX = 1.5
"""Spread (one sigma) that is added to each mode, so that none shrinks to a single pair."""
START_SPREAD_PX, EARLIER_START_SPREAD_PX = 8.0, 3.0
"""Spread (one sigma) of each mode before the first round; beginning at an earlier mission's offsets, where a wide one
would join places that lie a short period apart."""
ROUNDS, SETTLED_PX = 30, 0.02
"""The fit stops after so many rounds, or once no mean moves farther in one."""
TAIL_SHARE, TAIL_SPREAD_PX = 0.05, 6.0
"""Share of the pairs, and the spread (one sigma) that is added to a mode for them, that lie off the others: a gust, a
turn, or a late shutter."""
EARLIER_SPREAD_PX = 6.0
"""How far a mission's offsets lie from those of an earlier mission with the same cameras (one sigma): speed, height and
parallax differ."""
EARLIER_WITHIN_PX = 2.5
"""Spread (one sigma) that is added to the earlier mission's own, about its modes."""
EARLIER_MISSED_LOG = -6.0
"""Log of the odds that they lie elsewhere all the same: a camera was mounted anew."""


@dataclass(frozen=True)
class Positions:
    """One pair's candidate offsets (N, 2) and their scores (N,).

    An offset is that of the infrared frame's centre from the visible frame's, in infrared px.
    """

    offsets_px: Floats
    scores: Floats

    def log_evidence(self) -> Floats:
        """Return the log likelihood of each position by its score alone, (N,), 0 for the best."""
        return np.asarray((self.scores - self.scores.max()) / SCORE_SCALE)


@dataclass(frozen=True)
class OffsetPrior:
    """Where a mission's offsets plausibly lie before its pairs were looked at.

    ``earlier_px`` (N, 2) are those of an earlier mission with the same cameras, infrared px; empty where none is known.
    """

    earlier_px: Floats = field(default_factory=lambda: np.empty((0, 2)))

    def log_odds(self, offsets_px: Floats) -> Floats:
        """Return the log of how plausible offsets (N, 2) are by the earlier mission, (N,); 0 where there is none."""
        if not len(self.earlier_px):
            return np.zeros(len(offsets_px))
        away = np.linalg.norm(offsets_px[:, None] - self.earlier_px, axis=2).min(axis=1)
        return np.asarray(np.logaddexp(-((away / EARLIER_SPREAD_PX) ** 2) / 2, EARLIER_MISSED_LOG))

    def modes(self) -> list[tuple[Floats, Floats]]:
        """Return where a mission's offsets may begin, as means (K, 2) and covariances (K, 2, 2).

        One mode, and two where two directions were flown; none without an earlier mission.
        """
        if not len(self.earlier_px):
            return []
        away = self.earlier_px - self.earlier_px.mean(axis=0)
        along = away @ np.linalg.svd(away, full_matrices=False)[2][0]
        groups = [[self.earlier_px]]
        if np.std(along) > 2 * LEAST_SPREAD_PX:
            groups.append([self.earlier_px[along > 0], self.earlier_px[along <= 0]])
        added = np.eye(2) * EARLIER_WITHIN_PX**2
        return [
            (
                np.array([part.mean(axis=0) for part in parts]),
                np.array([np.cov(part.T, bias=True) + added for part in parts]),
            )
            for parts in groups
        ]

    def nearest(self, mean_px: Floats) -> tuple[Floats, float]:
        """Return where a mode with this mean (2,) is expected, (2,), and the spread (one sigma) of that, px."""
        if not len(self.earlier_px):
            return np.zeros(2), CENTRE_REACH_PX
        away = np.linalg.norm(self.earlier_px - mean_px, axis=1)
        return self.earlier_px[int(np.argmin(away))], EARLIER_SPREAD_PX


NO_PRIOR = OffsetPrior()


@dataclass(frozen=True)
class Mixture:
    """The offsets of a mission: K modes with shares (K,), means (K, 2), covariances (K, 2, 2), in infrared px."""

    shares: Floats
    means_px: Floats
    covariances: Floats

    def deviations(self, offset_px: Floats) -> Floats:
        """Return how many standard deviations an offset (2,) lies from each mode, (K,)."""
        away = offset_px - self.means_px
        inverse = np.linalg.inv(self.covariances)
        return np.asarray(np.sqrt(np.einsum("ki,kij,kj->k", away, inverse, away)))

    def log_density(self, offsets_px: Floats) -> Floats:
        """Return each mode's log density at offsets (N, 2), (N, K), relative to the narrowest possible mode's peak."""
        away = offsets_px[:, None] - self.means_px
        squared = np.einsum("nki,kij,nkj->nk", away, np.linalg.inv(self.covariances), away)
        spread = 0.5 * np.log(np.linalg.det(self.covariances) / LEAST_SPREAD_PX**4)
        return np.asarray(np.log(self.shares) - spread - squared / 2)

    def without(
        self, positions: Positions, mass: Floats, prior: OffsetPrior = NO_PRIOR
    ) -> "Mixture":
        """Return the mixture as the other pairs predict it for this one: fewer of them, hence wider.

        ``mass`` (K,) is how many pairs each mode explains, this one included.
        """
        share = self._responsibilities(positions)
        own = share.sum(axis=0)
        left = np.maximum(mass - own, 0.0)
        variance = np.trace(self.covariances, axis1=1, axis2=2) / 2
        expected = [prior.nearest(mean) for mean in self.means_px]
        prior_mass = variance / np.array([spread**2 for _, spread in expected])
        summed = mass[:, None] * self.means_px - share.T @ positions.offsets_px
        summed = summed + prior_mass[:, None] * np.array([centre for centre, _ in expected])
        weight = 1 / (left + prior_mass)
        wider = (variance * weight)[:, None, None] * np.eye(2)
        return Mixture(self.shares, summed * weight[:, None], self.covariances + wider)

    def tails(self) -> "Mixture":
        """Return a wider mode for each, of the few pairs that lie off the others."""
        wider = self.covariances + np.eye(2) * TAIL_SPREAD_PX**2
        return Mixture(self.shares * TAIL_SHARE, self.means_px, wider)

    def _responsibilities(self, positions: Positions) -> Floats:
        """Return the probability that each position is the true one and of each mode, (N, K); sums to 1 at most."""
        joint = positions.log_evidence()[:, None] + self.log_density(positions.offsets_px)
        return np.asarray(
            np.exp(joint - np.logaddexp(np.logaddexp.reduce(joint, axis=None), OUTLIER_LOG))
        )


@dataclass(frozen=True)
class PositionTable:
    """All pairs' candidate positions, one row each, in an order that depends on their content alone.

    Attributes
    ----------
    pair
        (N,), 0 to P - 1: which pair each row belongs to; rows of a pair lie together.
    offsets_px
        (N, 2), infrared px.
    log_evidence
        (N,), 0 for a pair's best position.
    order
        (P,), the index that each pair had in the sequence of which the table was made.
    """

    pair: NDArray[np.intp]
    offsets_px: Floats
    log_evidence: Floats
    order: NDArray[np.intp]

    @classmethod
    def of(cls, pairs: Sequence[Positions]) -> "PositionTable":
        """Tabulate pairs that have at least one position each."""
        order = sorted(range(len(pairs)), key=lambda n: pairs[n].offsets_px.tolist())
        ordered = [pairs[n] for n in order]
        return cls(
            np.repeat(np.arange(len(ordered)), [len(p.scores) for p in ordered]),
            np.concatenate([p.offsets_px for p in ordered]),
            np.concatenate([p.log_evidence() for p in ordered]),
            np.array(order, np.intp),
        )

    @property
    def pair_count(self) -> int:
        """Return P."""
        return len(self.order)

    def first_rows(self) -> NDArray[np.intp]:
        """Return the first row of each pair, (P,)."""
        return np.flatnonzero(np.diff(self.pair, prepend=-1))

    def log_joint(self, mixture: Mixture) -> Floats:
        """Return log evidence plus log density of each position in each mode, (N, K)."""
        return self.log_evidence[:, None] + mixture.log_density(self.offsets_px)

    def log_likelihood(self, mixture: Mixture) -> Floats:
        """Return each pair's log likelihood, (P,): over its positions, the modes, and the position not found."""
        summed = np.logaddexp.reduce(self.log_joint(mixture), axis=1)
        found = np.logaddexp.reduceat(summed, self.first_rows())
        return np.asarray(np.logaddexp(found, OUTLIER_LOG))

    def responsibilities(self, mixture: Mixture) -> Floats:
        """Return the probability that each position is its pair's true one and of each mode, (N, K)."""
        of_pair = self.log_likelihood(mixture)[self.pair]
        return np.asarray(np.exp(self.log_joint(mixture) - of_pair[:, None]))


def fit_mixture(
    table: PositionTable, means_px: Floats, spread_px: float = START_SPREAD_PX
) -> Mixture:
    """Fit a mixture of K modes by expectation maximisation, beginning at these means (K, 2) and this spread."""
    modes = len(means_px)
    wide = np.eye(2) * spread_px**2
    found = Mixture(np.full(modes, 1 / modes), means_px, np.repeat(wide[None], modes, axis=0))
    for _ in range(ROUNDS):
        share = table.responsibilities(found)
        mass = share.sum(0)
        means = (share.T @ table.offsets_px) / np.maximum(mass, 1e-9)[:, None]
        covariances = [
            _mode_covariance(table.offsets_px - means[mode], share[:, mode], mass[mode])
            for mode in range(modes)
        ]
        shares = (mass + 1) / (mass.sum() + modes)
        moved = float(np.abs(means - found.means_px).max())
        found = Mixture(shares, means, np.array(covariances))
        if moved < SETTLED_PX:
            break
    return found


def _mode_covariance(away_px: Floats, share: Floats, mass: float) -> Floats:
    """Return a mode's covariance (2, 2) from positions (N, 2) about its mean, each with its share (N,) in the mode."""
    prior = np.eye(2) * PRIOR_SPREAD_PX**2
    scatter = (share[:, None] * away_px).T @ away_px
    covariance = (scatter + PRIOR_PAIRS * prior) / (mass + PRIOR_PAIRS)
    return np.asarray(covariance + np.eye(2) * LEAST_SPREAD_PX**2)
