"""Where an infrared frame fits in a visible one, and the scale and rotation at which a mission's frames fit best.

The constants were chosen on simulated missions (other seeds than the benchmark's) and on the real pairs;
``python -m benchmarks.alignment`` measures what they lead to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.orientation import (
    Complex,
    correlate,
    known_pixels,
    orientation_field,
    peaks,
)
from dd_livm_core.registration.rig import (
    Floats,
    Image,
    RigGeometry,
    VisibleFrame,
    frame_centre,
    resample_to_infrared_grid,
)

COARSE_WIDTH_PX, COARSE_SIGMA_PX = 320, 1.8
"""Width to which the infrared frame is brought before it is searched for, and smoothing there: frames of PV modules are
still visible."""
SEARCH_WIDTH_PX, SEARCH_SIGMA_PX = 80, 1.0
"""Width and smoothing for the search over scales: rows and their ends are still visible."""
PEAKS, PEAKS_APART = 24, 80
"""Candidate positions of a pair, and how far apart they lie: the frame's width over this (at least 3 px)."""
MARGIN, LEAST_MARGIN_PX = 0.2, 8
"""Share of the infrared frame by which it may stick out of the visible one, and how much larger than the infrared frame
the searched area is at least."""
VIEW_RATIOS = np.geomspace(0.85, 3.2, 45)
"""Width of the visible field of view over that of the infrared one, as drones have them."""
SPARE_DETAIL = 1.2
"""Visible frames keep so many times the pixels that the widest view ratio needs."""
LOG_RATIO_STEP = float(np.log(VIEW_RATIOS)[1] - np.log(VIEW_RATIOS)[0])
LOG_RATIO_BOUNDS = (float(np.log(VIEW_RATIOS)[0]), float(np.log(VIEW_RATIOS)[-1]))
ROTATIONS_DEG = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""Rotations that the second pass begins at."""
TURN_STEP_DEG, MOST_TURN_DEG = 0.75, 12.0
"""Step in rotation, and the largest rotation between two cameras on one mount that is looked for."""
RATIOS_KEPT, RATIO_NEIGHBOURS = 4, 2
"""View ratios that the second pass begins at, each the best among so many neighbours on either side."""
FINER_PAIRS, FINEST_PAIRS = 4, 3
"""Pairs of the sample in the second and third pass, which cost more each."""
RIVAL_RATIO_SHARE = 0.7
"""View ratios whose score reaches this share of the best one's are climbed from."""
CLOSE_RATIO_SHARE, SAME_LOG_RATIO = 0.93, 0.015
"""View ratios whose score then still reaches this share of the best one's go to the third pass, where they differ by
more than this (natural logarithm)."""
FINEST_LOG_RATIO_STEP = 0.01


def coarse_peaks(
    infrared: Image,
    visible: VisibleFrame,
    rig: RigGeometry,
    *,
    width_px: int = COARSE_WIDTH_PX,
    sigma_px: float = COARSE_SIGMA_PX,
    count: int = PEAKS,
) -> list[tuple[Floats, float]]:
    """Return candidate positions (2,) of the infrared frame's centre in visible px, with scores, best first.

    Parameters
    ----------
    infrared
        float32 (H, W); searched for at ``width_px``.
    """
    step = infrared.shape[1] / width_px
    size = (width_px, round(infrared.shape[0] / step))
    small = np.asarray(cv2.resize(infrared, size, interpolation=cv2.INTER_AREA), np.float32)
    template = orientation_field(small, sigma_px, known_pixels(small))
    field, inside, to_visible = _visible_field(visible, rig.linear() * step, size, sigma_px)
    score = correlate(template, field, inside)
    corner = frame_centre(size[::-1])
    return [
        (to_visible[:2, :2] @ (np.array([x, y]) + corner) + to_visible[:2, 2], value)
        for x, y, value in peaks(score, count, max(3, width_px // PEAKS_APART))
    ]


def _visible_field(
    visible: VisibleFrame, linear: Floats, size: tuple[int, int], sigma_px: float
) -> tuple[Complex, NDArray[np.float32], Floats]:
    """Return the orientation field of the visible frame as the infrared camera's pixels would show it.

    Parameters
    ----------
    linear
        (2, 2), pixels of the field to visible pixels.
    size
        (width, height) of the infrared frame that is searched for; the field is larger by a margin.

    Returns
    -------
    The field (h, w), 1 where the visible camera saw something, float32 (h, w), and the (3, 3) matrix to visible pixels.
    """
    height, width = visible.shape
    extent = np.abs(np.linalg.inv(linear)) @ np.array([width, height])
    least = np.array(size) + LEAST_MARGIN_PX
    out = np.maximum(np.ceil(extent + 2 * MARGIN * np.array(size)), least).astype(int)
    to_visible = np.eye(3)
    to_visible[:2, :2] = linear
    to_visible[:2, 2] = frame_centre(visible.shape) - linear @ ((out - 1) / 2)
    frame = (int(out[0]), int(out[1]))
    resampled = resample_to_infrared_grid(visible.image, to_visible, frame)
    inside = visible.mark_inside(to_visible, frame)
    field = orientation_field(np.asarray(resampled, np.float32), sigma_px, inside)
    return field, inside.astype(np.float32), to_visible


class _Fit(NamedTuple):
    """How well a sample fits at a view ratio and rotation; fits are ordered by their score."""

    score: float
    log_ratio: float
    rotation_deg: float


@dataclass(frozen=True)
class _Level:
    """A sample of (infrared, visible) pairs at one level of detail."""

    sample: Sequence[tuple[Image, VisibleFrame]]
    width_px: int
    sigma_px: float

    @classmethod
    def of(
        cls, sample: Sequence[tuple[Image, VisibleFrame]], width_px: int, sigma_px: float
    ) -> "_Level":
        """Bring visible frames to the detail that the widest view ratio needs, once for all ratios."""
        smaller = []
        for infrared, visible in sample:
            width = round(min(visible.shape[1], SPARE_DETAIL * width_px * float(VIEW_RATIOS[-1])))
            size = (width, round(visible.shape[0] * width / visible.shape[1]))
            smaller.append((infrared, visible.resize(size)))
        return cls(smaller, width_px, sigma_px)

    def score(self, ratio: float, rotation_deg: float) -> float:
        """Return the best correlation at any shift, averaged over the sample."""
        scores = []
        for infrared, visible in self.sample:
            rig = RigGeometry(visible.shape[1] / (infrared.shape[1] * ratio), rotation_deg)
            found = coarse_peaks(
                infrared, visible, rig, width_px=self.width_px, sigma_px=self.sigma_px, count=1
            )
            scores.append(found[0][1] if found else 0.0)
        return float(np.mean(scores))

    def fit(self, log_ratio: float, rotation_deg: float) -> _Fit:
        """Return how well the sample fits there."""
        return _Fit(self.score(float(np.exp(log_ratio)), rotation_deg), log_ratio, rotation_deg)

    def climb_ratio(self, fit: _Fit, step: float) -> _Fit:
        """Return the fit that is reached by climbing in the logarithm of the view ratio."""
        turn = fit.rotation_deg
        score, log_ratio = hill_climb(
            lambda value: self.fit(value, turn).score,
            fit.score,
            fit.log_ratio,
            step,
            LOG_RATIO_BOUNDS,
        )
        return _Fit(score, log_ratio, turn)

    def climb_rotation(self, fit: _Fit) -> _Fit:
        """Return the fit that is reached by climbing in rotation."""
        score, turn = hill_climb(
            lambda value: self.fit(fit.log_ratio, value).score,
            fit.score,
            fit.rotation_deg,
            TURN_STEP_DEG,
            (-MOST_TURN_DEG, MOST_TURN_DEG),
        )
        return _Fit(score, fit.log_ratio, turn)


def search_rig(sample: Sequence[tuple[Image, VisibleFrame]]) -> RigGeometry:
    """Find the scale and rotation that fit a sample of (infrared, visible) pairs best, to about 0.5 % and 0.5°.

    Three passes, each over fewer scales in more detail: all view ratios, the best of them at several rotations, and
    those that are still close at the detail of the registration. Where rows look alike at two scales, their PV modules
    do not. Scores are averaged over the sample, so that one pair's repeating rows cannot decide.
    """
    coarse = _Level.of(sample, SEARCH_WIDTH_PX, SEARCH_SIGMA_PX)
    log_ratios = _best_log_ratios(coarse)
    finer = _Level.of(sample[:FINER_PAIRS], 2 * SEARCH_WIDTH_PX, SEARCH_SIGMA_PX)
    fits = _best_with_rotation(finer, log_ratios)
    finest = _Level.of(sample[:FINEST_PAIRS], COARSE_WIDTH_PX, COARSE_SIGMA_PX)
    best = _best_in_detail(finest, fits)
    infrared, visible = sample[0]
    scale = visible.shape[1] / (infrared.shape[1] * float(np.exp(best.log_ratio)))
    return RigGeometry(scale, float(best.rotation_deg))


def _best_log_ratios(level: _Level) -> list[float]:
    """Return the logarithms of the view ratios that fit best without rotation, best first (first pass)."""
    scores = [level.score(float(ratio), 0.0) for ratio in VIEW_RATIOS]
    near = RATIO_NEIGHBOURS
    best = [k for k, s in enumerate(scores) if s == max(scores[max(0, k - near) : k + near + 1])]
    best = sorted(best, key=lambda k: -scores[k])[:RATIOS_KEPT]
    return [float(np.log(VIEW_RATIOS)[k]) for k in best]


def _best_with_rotation(level: _Level, log_ratios: Sequence[float]) -> list[_Fit]:
    """Return the fits that rival each other once scale and rotation have climbed, best first (second pass)."""
    fits = [max(level.fit(ratio, turn) for turn in ROTATIONS_DEG) for ratio in log_ratios]
    fits = [fit for fit in fits if fit.score >= RIVAL_RATIO_SHARE * max(fits).score]
    if len(fits) > 1:
        fits = [level.climb_ratio(fit, LOG_RATIO_STEP) for fit in fits]
    fits = [fit for fit in fits if fit.score >= CLOSE_RATIO_SHARE * max(fits).score]
    return [level.climb_rotation(fit) for fit in _drop_same_ratios(fits)]


def _best_in_detail(level: _Level, fits: Sequence[_Fit]) -> _Fit:
    """Return the best of the fits after each has climbed in scale at this level of detail (third pass)."""
    started = [level.fit(fit.log_ratio, fit.rotation_deg) for fit in fits]
    return max(level.climb_ratio(fit, FINEST_LOG_RATIO_STEP) for fit in started)


def hill_climb(
    score_at: Callable[[float], float],
    score: float,
    value: float,
    step: float,
    bounds: tuple[float, float],
) -> tuple[float, float]:
    """Move a value with this score up and down by ``step`` while its score grows; return (score, value).

    One step that scores worse is stepped over: repeating rows leave small dips on the way to the peak.
    """
    for way in (step, -step):
        ahead = 1
        while ahead <= 2 and bounds[0] <= value + way * ahead <= bounds[1]:
            next_score = score_at(value + way * ahead)
            if next_score > score:
                score, value, ahead = next_score, value + way * ahead, 1
            else:
                ahead += 1
    return score, value


def _drop_same_ratios(fits: Sequence[_Fit]) -> list[_Fit]:
    """Return the fits, best first, without those that climbed to a better one's view ratio."""
    kept: list[_Fit] = []
    for fit in sorted(fits, reverse=True):
        if all(abs(fit.log_ratio - other.log_ratio) > SAME_LOG_RATIO for other in kept):
            kept.append(fit)
    return kept
