"""The scale and rotation at which a mission's frames fit best, and how sure they are.

The constants were chosen on simulated missions and on real pairs under random warps (other seeds than the benchmarks');
``python -m benchmarks.alignment`` and ``python -m benchmarks.alignment_warps`` measure what they lead to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dd_livm_core.registration.frame_match import (
    COARSE_SIGMA_PX,
    COARSE_WIDTH_PX,
    make_template,
    match,
)
from dd_livm_core.registration.mixture_choice import add_evidence
from dd_livm_core.registration.offset_mixture import SCORE_SCALE
from dd_livm_core.registration.orientation import Complex
from dd_livm_core.registration.rig import Floats, Image, RigGeometry, VisibleFrame

SEARCH_WIDTH_PX, SEARCH_SIGMA_PX = 80, 1.0
"""Width and smoothing for the search over scales: rows and their ends are still visible."""
VIEW_RATIOS = np.geomspace(0.75, 3.2, 43)
"""Width of the visible field of view over that of the infrared one, as drones and undistorted crops have them."""
ROTATIONS_DEG = (-4.0, -2.0, 0.0, 2.0, 4.0)
"""Rotations that the first pass tries at every ratio: at 80 px, a row's ends leave their place from 1.5° on."""
SPARE_DETAIL = 1.2
"""Visible frames keep so many times the pixels that the widest view ratio needs."""
LOG_RATIO_STEP = float(np.log(VIEW_RATIOS)[1] - np.log(VIEW_RATIOS)[0])
LOG_RATIO_BOUNDS = (float(np.log(VIEW_RATIOS)[0]), float(np.log(VIEW_RATIOS)[-1]))
TURN_STEP_DEG, MOST_TURN_DEG = 0.75, 12.0
"""Step in rotation, and the largest rotation between two cameras on one mount that is looked for."""
OFFSET_SPREAD = 1 / 32
"""How far the pairs' offsets may lie from a shared one, as a share of the infrared frame's width: 20 px of 640."""
SEARCH_PAIRS, FINEST_PAIRS = 4, 3
"""Pairs of the sample in the first two passes, and in the climbing of the third, which cost more each."""
STARTS, START_LOG_RATIO, START_TURN_DEG = 64, 0.05, 1.5
"""The best rigs of the first pass that the second looks at, one for each pair of the sample, and how far apart they
lie: seen at 80 px, one or two pairs fit many rigs."""
CLIMBERS, CLIMBERS_APART = 4, (0.05, 2.5)
"""The best of those, from which the second pass climbs, and how far apart they lie: nearer ones reach the same top."""
RIVAL_SHARE, CLOSE_SHARE = 0.75, 0.85
"""Rigs whose score reaches these shares of the best one's are climbed from, and go to the third pass."""
SAME_LOG_RATIO, SAME_TURN_DEG = 0.02, 1.2
"""Rigs closer than this (natural logarithm of the view ratio, rotation) are the same."""
FINEST_LOG_RATIO_STEP = 0.01
UNFOUND_SCORE = 0.2
"""Correlation that stands for a rig which the search missed: what wrong rigs of one or two real pairs reach."""
EARLIER_LOG_RATIO, EARLIER_TURN_DEG, EARLIER_LOG = 0.03, 1.5, 4.0
"""How far a rig may lie from an earlier mission's and be the same, and the log of the odds that it is."""


@dataclass(frozen=True)
class RigFit:
    """How well a sample fits at a view ratio and rotation.

    ``scores`` (P,) are the pairs' correlations at the offset that all share, within ``OFFSET_SPREAD``.
    """

    log_ratio: float
    rotation_deg: float
    scores: Floats

    @property
    def score(self) -> float:
        """Return the mean of the pairs' correlations."""
        return float(self.scores.mean())

    def is_near(self, other: "RigFit", log_ratio: float, turn_deg: float) -> bool:
        """Return whether the other rig differs by no more than this in both."""
        return (
            abs(self.log_ratio - other.log_ratio) <= log_ratio
            and abs(self.rotation_deg - other.rotation_deg) <= turn_deg
        )


@dataclass(frozen=True)
class _Level:
    """A sample of pairs at one level of detail: infrared frames as templates, and visible frames."""

    templates: Sequence[Complex]
    visible: Sequence[VisibleFrame]
    sigma_px: float

    @classmethod
    def of(
        cls, sample: Sequence[tuple[Image, VisibleFrame]], width_px: int, sigma_px: float
    ) -> "_Level":
        """Bring infrared frames to this width, and visible ones to the detail that the widest view ratio needs."""
        templates = [make_template(infrared, width_px, sigma_px) for infrared, _ in sample]
        smaller = []
        for _, visible in sample:
            width = round(min(visible.shape[1], SPARE_DETAIL * width_px * float(VIEW_RATIOS[-1])))
            size = (width, round(visible.shape[0] * width / visible.shape[1]))
            smaller.append(visible.resize(size))
        return cls(templates, smaller, sigma_px)

    def fit(self, log_ratio: float, rotation_deg: float) -> RigFit:
        """Return how well the sample fits there: at one offset for all pairs, but for a little spread.

        A wrong rig fits each pair somewhere, and every pair elsewhere. Where only a part of the infrared frame meets
        the visible one, chance alone correlates better, as one over the root of that part: this is taken out.
        """
        width_px = self.templates[0].shape[1]
        scale = self.visible[0].shape[1] / (width_px * float(np.exp(log_ratio)))
        linear = RigGeometry(scale, rotation_deg).linear()
        reach = round(OFFSET_SPREAD * width_px) if len(self.templates) > 1 else 0
        near = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        maps = []
        for template, visible in zip(self.templates, self.visible, strict=True):
            score, share, _ = match(template, visible, linear, self.sigma_px)
            maps.append(cv2.dilate(score * np.sqrt(share), near))
        best = int(np.argmax(np.mean(maps, axis=0)))
        return RigFit(log_ratio, rotation_deg, np.array([float(m.flat[best]) for m in maps]))

    def climb_ratio(self, fit: RigFit, step: float) -> RigFit:
        """Return the fit that is reached by climbing in the logarithm of the view ratio."""
        return hill_climb(
            lambda value: self.fit(value, fit.rotation_deg),
            fit,
            fit.log_ratio,
            step,
            LOG_RATIO_BOUNDS,
        )

    def climb_rotation(self, fit: RigFit) -> RigFit:
        """Return the fit that is reached by climbing in rotation."""
        return hill_climb(
            lambda value: self.fit(fit.log_ratio, value),
            fit,
            fit.rotation_deg,
            TURN_STEP_DEG,
            (-MOST_TURN_DEG, MOST_TURN_DEG),
        )


def search_rigs(
    sample: Sequence[tuple[Image, VisibleFrame]], earlier: tuple[float, float] | None = None
) -> list[RigFit]:
    """Find the scales and rotations that fit a sample of (infrared, visible) pairs, best first, to 0.5 % and 0.5°.

    All pairs have frames of the same sizes. Three passes, each over fewer rigs in more detail: all view ratios and
    rotations, the best of them climbing, and those that still rival each other at the detail of the registration.
    Where rows look alike at two scales, their PV modules do not.

    Parameters
    ----------
    earlier
        Log of the view ratio and rotation of an earlier mission with the same cameras: looked at beside those found.
    """
    coarse = _Level.of(sample[:SEARCH_PAIRS], SEARCH_WIDTH_PX, SEARCH_SIGMA_PX)
    grid = [
        coarse.fit(float(log_ratio), turn)
        for log_ratio in np.log(VIEW_RATIOS)
        for turn in ROTATIONS_DEG
    ]
    starts = _keep_distinct(grid, (START_LOG_RATIO, START_TURN_DEG))
    starts = starts[: STARTS // len(coarse.templates)]
    finer = _Level.of(sample[:SEARCH_PAIRS], 2 * SEARCH_WIDTH_PX, SEARCH_SIGMA_PX)
    fits = [finer.fit(fit.log_ratio, fit.rotation_deg) for fit in starts]
    fits = _keep_close(_keep_distinct(fits, CLIMBERS_APART), RIVAL_SHARE)[:CLIMBERS]
    fits = [finer.climb_rotation(finer.climb_ratio(fit, LOG_RATIO_STEP / 2)) for fit in fits]
    fits = _keep_close(fits, CLOSE_SHARE)
    if earlier:
        fits.append(finer.fit(*earlier))
    finest = _Level.of(sample[:FINEST_PAIRS], COARSE_WIDTH_PX, COARSE_SIGMA_PX)
    fits = [finest.fit(fit.log_ratio, fit.rotation_deg) for fit in fits]
    fits = [finest.climb_ratio(fit, FINEST_LOG_RATIO_STEP) for fit in fits]
    fits = _keep_distinct(fits, (SAME_LOG_RATIO, SAME_TURN_DEG))
    whole = _Level.of(sample, COARSE_WIDTH_PX, COARSE_SIGMA_PX)
    return _keep_close([whole.fit(fit.log_ratio, fit.rotation_deg) for fit in fits], 0.0)


def weigh_rigs(
    fits: Sequence[RigFit], earlier: tuple[float, float] | None = None
) -> tuple[RigFit, float]:
    """Return the likeliest of the fits, and the probability that it is the right rig.

    The alternatives are the other fits, and a rig that the search missed. Evidence that all pairs may share is counted
    once, as between a mission's offsets. An earlier mission's rig is ``EARLIER_LOG`` likelier before the pairs speak:
    that narrows, and clear evidence of a few pairs outweighs it.
    """
    known = np.zeros(len(fits))
    if earlier:
        expected = RigFit(*earlier, fits[0].scores)
        near = [fit.is_near(expected, EARLIER_LOG_RATIO, EARLIER_TURN_DEG) for fit in fits]
        known = EARLIER_LOG * np.array(near)
    behind = [add_evidence((fits[0].scores - fit.scores) / SCORE_SCALE) for fit in fits]
    best = int(np.argmax(known - np.array(behind)))
    chosen = fits[best].scores
    odds = [
        add_evidence((chosen - fit.scores) / SCORE_SCALE) - known[number]
        for number, fit in enumerate(fits)
        if number != best
    ]
    odds.append(add_evidence((chosen - UNFOUND_SCORE) / SCORE_SCALE))
    against = np.exp(-np.array(odds) - known[best]).sum()
    return fits[best], float(1 / (1 + against))


def hill_climb(
    fit_at: Callable[[float], RigFit],
    fit: RigFit,
    value: float,
    step: float,
    bounds: tuple[float, float],
) -> RigFit:
    """Move from a fit at a value up and down by ``step`` while the score grows; return the fit that is reached.

    One step that scores worse is stepped over: repeating rows leave small dips on the way to the peak.
    """
    for way in (step, -step):
        ahead = 1
        while ahead <= 2 and bounds[0] <= value + way * ahead <= bounds[1]:
            found = fit_at(value + way * ahead)
            if found.score > fit.score:
                fit, value, ahead = found, value + way * ahead, 1
            else:
                ahead += 1
    return fit


def _keep_distinct(fits: Sequence[RigFit], apart: tuple[float, float]) -> list[RigFit]:
    """Return the fits, best first, but those nearer to a better one than ``apart`` (log ratio, degrees)."""
    kept: list[RigFit] = []
    for fit in sorted(fits, key=lambda fit: -fit.score):
        if all(
            abs(fit.log_ratio - other.log_ratio) > apart[0]
            or abs(fit.rotation_deg - other.rotation_deg) > apart[1]
            for other in kept
        ):
            kept.append(fit)
    return kept


def _keep_close(fits: Sequence[RigFit], share: float) -> list[RigFit]:
    """Return the distinct fits, best first, whose score reaches a share of the best one's."""
    kept = _keep_distinct(fits, (SAME_LOG_RATIO, SAME_TURN_DEG))
    return [fit for fit in kept if fit.score >= share * kept[0].score]
