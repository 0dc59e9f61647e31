"""Which mixture explains a mission: where fits begin, one mode or two, and how sure it is against its rivals.

Where no pair shows anything longer than a period, all pairs of a mission fit one period off just as well. So the
mixture is compared with rivals that begin at other places, one period off or anywhere else.

The constants were chosen on simulated missions (other seeds than the benchmark's) and on the real pairs;
``python -m benchmarks.alignment`` measures what they lead to.
"""

from dataclasses import replace

import numpy as np

from dd_livm_core.registration.offset_mixture import (
    CENTRE_REACH_PX,
    EARLIER_MISSED_LOG,
    EARLIER_START_SPREAD_PX,
    LEAST_SPREAD_PX,
    NO_PRIOR,
    OUTLIER_LOG,
    Floats,
    Mixture,
    OffsetPrior,
    PositionTable,
    fit_mixture,
)

SEED_REACH_PX = 8.0
"""How far (one sigma) a pair's position may lie from a seed that it supports."""
MOST_VOTERS, MOST_SEEDS = 200, 1500
"""Pairs and positions that are used to find seeds, about; more would take longer and say the same."""
RIVALS, RIVAL_APART_PX = 6, 8.0
"""Seeds of rivals beside the best seed, and how far apart seeds lie."""
RIVAL_SHARE = 0.25
"""Share of the pairs that a rival must place elsewhere; others are the same mixture."""
SAME_PX = 4.0
"""Positions this close are one."""
TELLING_LOG = 1.5
"""Part of a pair's log likelihood ratio that may be the same in all pairs: lens, light and a row's own unevenness can
make it, so it is no evidence of each pair alone."""
MODE_PAIRS, MODE_SHARE, MODE_LOG = 3, 0.1, 2.0
"""A second mode that lies outside the first must raise the log likelihood of so many pairs, and of such a share of
them, by more than the last."""
PENALTY_PER_LOG_PAIR = 3.0
"""Schwarz's criterion (1978): half the number of parameters, six for a second mode, times the log of the pairs."""
LONG_AXIS = 2 * LEAST_SPREAD_PX
"""A single mode this long (one sigma) is also split along its long axis."""


def find_seeds(table: PositionTable, prior: OffsetPrior = NO_PRIOR) -> Floats:
    """Return the offsets (S, 2) that most pairs support, best first, at most ``RIVALS`` + 1 of them."""
    used = table.pair % max(1, table.pair_count // MOST_VOTERS) == 0
    offsets, evidence = table.offsets_px[used], table.log_evidence[used]
    first_rows = np.flatnonzero(np.diff(table.pair[used], prepend=-1))
    good = np.flatnonzero(evidence > OUTLIER_LOG)
    places = offsets[good[:: max(1, len(good) // MOST_SEEDS)]]
    support = np.empty(len(places))
    for number, place in enumerate(places):
        squared = np.sum((offsets - place) ** 2, axis=1)
        of_pairs = np.maximum.reduceat(evidence - squared / (2 * SEED_REACH_PX**2), first_rows)
        support[number] = of_pairs.clip(OUTLIER_LOG).sum()
    support -= np.sum(places**2, axis=1) / (2 * CENTRE_REACH_PX**2)
    support += prior.log_odds(places)
    kept: list[Floats] = []
    for place in places[np.argsort(-support, kind="stable")]:
        if all(np.linalg.norm(place - other) > RIVAL_APART_PX for other in kept):
            kept.append(place)
        if len(kept) > RIVALS:
            break
    return np.array(kept)


def choose_mixture(table: PositionTable, seeds: Floats, prior: OffsetPrior = NO_PRIOR) -> Mixture:
    """Return the mixture of one mode, or of two where these explain the mission better by Schwarz's criterion.

    ``seeds`` (S, 2) are offsets to begin at, best first.
    """
    one = fit_mixture(table, seeds[:1])
    before, best, highest_gain = table.log_likelihood(one), one, 0.0
    for start in _two_mode_starts(one, seeds):
        two = fit_mixture(table, start)
        gains = table.log_likelihood(two) - before
        gain = float(gains.sum()) - PENALTY_PER_LOG_PAIR * float(np.log(table.pair_count))
        within = one.log_density(two.means_px).max(axis=1).min() > OUTLIER_LOG
        telling = int((gains > MODE_LOG).sum())
        if not within and telling < max(MODE_PAIRS, MODE_SHARE * table.pair_count):
            continue
        if gain > highest_gain:
            best, highest_gain = two, gain
    return _prefer_earlier(table, best, prior)


def mixture_probabilities(
    table: PositionTable, mixture: Mixture, seeds: Floats, prior: OffsetPrior = NO_PRIOR
) -> Floats:
    """Return the probability that the mixture is right where it places each pair, (P,), in the pairs' own order.

    The alternatives are rivals that place the pair elsewhere.
    """
    plausible = _prior_log_odds(mixture, prior)
    likelihood, chosen = table.log_likelihood(mixture), _likeliest_offsets(table, mixture)
    against = np.zeros(table.pair_count)
    for start in _rival_starts(mixture.means_px, seeds):
        rival = fit_mixture(table, start)
        moved = np.linalg.norm(_likeliest_offsets(table, rival) - chosen, axis=1) > SAME_PX
        if moved.mean() < RIVAL_SHARE:
            continue
        ratio = likelihood - table.log_likelihood(rival)
        before = plausible - _prior_log_odds(rival, prior)
        against += moved * np.exp(-(add_evidence(ratio) + before))
    probabilities = np.empty(table.pair_count)
    probabilities[table.order] = 1 / (1 + against)
    return probabilities


def _prefer_earlier(table: PositionTable, found: Mixture, prior: OffsetPrior) -> Mixture:
    """Return the mixture about an earlier mission's offsets, or the one that was found where the pairs clearly say so.

    Every position is first weighed by the earlier mission, whose offsets also tell how far these spread. What that
    gives must then explain the pairs by themselves.
    """
    weighed = replace(table, log_evidence=table.log_evidence + prior.log_odds(table.offsets_px))
    fits = [
        replace(fit_mixture(weighed, means, EARLIER_START_SPREAD_PX), covariances=covariances)
        for means, covariances in prior.modes()
    ]
    if not fits:
        return found
    expected = max(fits, key=lambda fit: float(table.log_likelihood(fit).sum()))
    against = add_evidence(table.log_likelihood(found) - table.log_likelihood(expected))
    return found if against > -EARLIER_MISSED_LOG else expected


def add_evidence(log_ratios: Floats) -> float:
    """Return a mission's log likelihood ratio from its pairs', (P,).

    Evidence that all pairs may share (``TELLING_LOG``) is counted once, not per pair.
    """
    shared = np.clip(log_ratios, -TELLING_LOG, TELLING_LOG)
    return float((log_ratios - shared).sum() + shared.mean())


def _prior_log_odds(mixture: Mixture, prior: OffsetPrior) -> float:
    """Return the log of how plausible a mixture's means are before the pairs were looked at."""
    return float(mixture.shares @ prior.log_odds(mixture.means_px))


def _two_mode_starts(one: Mixture, seeds: Floats) -> list[Floats]:
    """Return means (2, 2) to begin two modes at: at the single mode and another seed, or along its long axis."""
    starts = [np.array([one.means_px[0], seed]) for seed in seeds[1:]]
    values, vectors = np.linalg.eigh(one.covariances[0])
    if np.sqrt(values[1]) >= LONG_AXIS:
        away = np.sqrt(values[1]) * vectors[:, 1]
        starts.append(np.array([one.means_px[0] - away, one.means_px[0] + away]))
    return starts


def _rival_starts(means_px: Floats, seeds: Floats) -> list[Floats]:
    """Return means (K, 2) to begin rivals of a mixture at: all its modes moved alike, or one of two moved to a seed."""
    starts = [means_px + seed - seeds[0] for seed in seeds[1:]]
    if len(means_px) > 1:
        starts += [np.array([mean, seed]) for mean in means_px for seed in seeds]
    return starts


def _likeliest_offsets(table: PositionTable, mixture: Mixture) -> Floats:
    """Return each pair's likeliest offset under a mixture, (P, 2)."""
    summed = np.logaddexp.reduce(table.log_joint(mixture), axis=1)
    order = np.lexsort((-summed, table.pair))
    return np.asarray(table.offsets_px[order[table.first_rows()]])
