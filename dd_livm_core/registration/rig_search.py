"""Where an infrared frame fits in a visible one, and the scale and rotation at which a mission's frames fit best."""

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.orientation import (
    Complex,
    correlate,
    known_part,
    orientation_field,
    peaks,
)
from dd_livm_core.registration.rig import (
    Floats,
    Image,
    RigGeometry,
    Scene,
    middle,
    on_infrared_grid,
)

COARSE_WIDTH_PX = 320
"""Width to which the infrared frame is brought before it is looked for: frame lines are still there."""
COARSE_SIGMA_PX = 1.8
SEARCH_WIDTH_PX = 80
"""Width for the search over scales: rows and their ends are still there."""
VIEW_RATIOS = np.geomspace(0.85, 3.2, 45)
"""Visible field of view over infrared field of view, as drones have them."""
ROTATIONS_DEG = (-3.0, -1.5, 0.0, 1.5, 3.0)
RATIOS_KEPT = 4
FINER_PAIRS = 4
RIVAL_RATIO_SHARE = 0.7
"""View ratios that fit this well, compared with the best one, are looked at around, too."""
CLOSE_RATIO_SHARE, SAME_RATIO = 0.93, 0.015
"""View ratios that still fit this well are told apart at the detail of the registration, where they differ by more
than this (natural logarithm)."""
FINEST_PAIRS, FINEST_STEP = 3, 0.01
TURN_STEP_DEG, MOST_TURN_DEG = 0.75, 12.0
MARGIN = 0.2
"""Share of the infrared frame by which it may stick out of the visible one."""


def coarse_peaks(
    infrared: Image,
    visible: Scene,
    rig: RigGeometry,
    *,
    width_px: int = COARSE_WIDTH_PX,
    sigma_px: float = COARSE_SIGMA_PX,
    count: int = 24,
) -> list[tuple[Floats, float]]:
    """Return candidate positions of the infrared centre in the visible frame, with scores, best first."""
    step = infrared.shape[1] / width_px
    size = (width_px, round(infrared.shape[0] / step))
    shrunk = np.asarray(cv2.resize(infrared, size, interpolation=cv2.INTER_AREA), np.float32)
    known = known_part(shrunk)
    template = orientation_field(shrunk, sigma_px, known)
    scene, inside, to_visible = _scene(visible, rig, step, size, sigma_px)
    score = correlate(template, scene, inside)
    corner = middle(size[::-1])
    return [
        (to_visible[:2, :2] @ (np.array([x, y]) + corner) + to_visible[:2, 2], value)
        for x, y, value in peaks(score, count, max(3, width_px // 80))
    ]


def _scene(
    visible: Scene, rig: RigGeometry, step: float, size: tuple[int, int], sigma_px: float
) -> tuple[Complex, NDArray[np.float32], Floats]:
    """Resample the visible frame, turned and scaled, with a margin; return its field and the way back."""
    height, width = visible.shape
    linear = rig.linear() * step
    extent = np.abs(np.linalg.inv(linear)) @ np.array([width, height])
    out = np.maximum(np.ceil(extent + 2 * MARGIN * np.array(size)), np.array(size) + 8).astype(int)
    to_visible = np.eye(3)
    to_visible[:2, :2] = linear
    to_visible[:2, 2] = middle(visible.shape) - linear @ ((out - 1) / 2)
    frame = (int(out[0]), int(out[1]))
    resampled = np.asarray(on_infrared_grid(visible.image, to_visible, frame), np.float32)
    inside = visible.inside(to_visible, frame)
    return orientation_field(resampled, sigma_px, inside), inside.astype(np.float32), to_visible


def search_rig(sample: Sequence[tuple[Image, Scene]]) -> RigGeometry:
    """Find the scale and rotation that suit a sample of (infrared, visible) pairs best, to about 0.5 % and 0.5°.

    Every field-of-view ratio by the best correlation at any shift, averaged over the sample so that one pair's
    repeating rows cannot decide; then the best ratios, turned, at twice the detail, and those that still rival each
    other at the detail of the registration: where rows look alike at two scales, their PV modules do not.
    """
    coarse = _shrunk(sample, SEARCH_WIDTH_PX)
    scores = [_mean_score(coarse, float(ratio), 0.0, SEARCH_WIDTH_PX) for ratio in VIEW_RATIOS]
    best = [k for k, score in enumerate(scores) if score == max(scores[max(0, k - 2) : k + 3])]
    best = sorted(best, key=lambda k: -scores[k])[:RATIOS_KEPT]
    finer = _shrunk(sample[:FINER_PAIRS], 2 * SEARCH_WIDTH_PX)

    def score(log_ratio: float, rotation_deg: float) -> float:
        return _mean_score(finer, np.exp(log_ratio), rotation_deg, 2 * SEARCH_WIDTH_PX)

    def turned(rotation_deg: float) -> Callable[[float], float]:
        return lambda log_ratio: score(log_ratio, rotation_deg)

    ratios = np.log(VIEW_RATIOS)
    found = [max((score(ratios[k], r), float(ratios[k]), r) for r in ROTATIONS_DEG) for k in best]
    rivals = [one for one in found if one[0] >= RIVAL_RATIO_SHARE * max(found)[0]]
    if len(rivals) > 1:
        step, bounds = float(ratios[1] - ratios[0]), ratios[[0, -1]]
        rivals = [
            (*_climbed(turned(turn), value, ratio, step, bounds), turn)
            for value, ratio, turn in rivals
        ]
    rivals = [one for one in rivals if one[0] >= CLOSE_RATIO_SHARE * max(rivals)[0]]
    finest = _shrunk(sample[:FINEST_PAIRS], COARSE_WIDTH_PX)
    ends = []
    for value, ratio, turn in _apart(rivals):
        at = partial(score, ratio)
        turn = _climbed(at, value, turn, TURN_STEP_DEG, (-MOST_TURN_DEG, MOST_TURN_DEG))[1]

        def score_finest(log_ratio: float, turn: float = turn) -> float:
            ratio = float(np.exp(log_ratio))
            return _mean_score(finest, ratio, turn, COARSE_WIDTH_PX, COARSE_SIGMA_PX)

        start = score_finest(ratio), ratio
        ends.append((*_climbed(score_finest, *start, FINEST_STEP, ratios[[0, -1]]), turn))
    _, ratio, turn = max(ends)
    infrared, visible = sample[0]
    scale = visible.shape[1] / (infrared.shape[1] * float(np.exp(ratio)))
    return RigGeometry(scale, float(turn))


def _climbed(
    score_at: Callable[[float], float],
    score: float,
    place: float,
    step: float,
    bounds: Sequence[float] | Floats,
) -> tuple[float, float]:
    """Move a place either way by ``step`` while it fits better; return its score and it.

    One step that fits worse is stepped over: repeating rows leave small dips on the way to the peak.
    """
    for way in (step, -step):
        ahead = 1
        while ahead <= 2 and bounds[0] <= place + way * ahead <= bounds[1]:
            next_score = score_at(place + way * ahead)
            if next_score > score:
                score, place, ahead = next_score, place + way * ahead, 1
            else:
                ahead += 1
    return score, place


def _apart(rivals: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return the rivals (score, log view ratio, rotation), best first, without those that climbed to the same ratio."""
    kept: list[tuple[float, float, float]] = []
    for rival in sorted(rivals, reverse=True):
        if all(abs(rival[1] - other[1]) > SAME_RATIO for other in kept):
            kept.append(rival)
    return kept


def _shrunk(sample: Sequence[tuple[Image, Scene]], width_px: int) -> list[tuple[Image, Scene]]:
    """Bring visible frames to the detail that the widest view ratio asks for, once for all ratios."""
    shrunk = []
    for infrared, visible in sample:
        width = round(min(visible.shape[1], 1.2 * width_px * float(VIEW_RATIOS[-1])))
        size = (width, round(visible.shape[0] * width / visible.shape[1]))
        shrunk.append((infrared, visible.shrunk(size)))
    return shrunk


def _mean_score(
    sample: Sequence[tuple[Image, Scene]],
    ratio: float,
    rotation_deg: float,
    width_px: int,
    sigma_px: float = 1.0,
) -> float:
    """Return the best correlation at a view ratio and rotation, averaged over the sample."""
    scores = []
    for infrared, visible in sample:
        rig = RigGeometry(visible.shape[1] / (infrared.shape[1] * ratio), rotation_deg)
        found = coarse_peaks(infrared, visible, rig, width_px=width_px, sigma_px=sigma_px, count=1)
        scores.append(found[0][1] if found else 0.0)
    return float(np.mean(scores))
