"""Thin clouds that pass during a mission: sunlight falls at once, and the PV modules' warmth follows later."""

import numpy as np

_PERIODS_S = (60.0, 420.0)
"""Chosen: from faster to slower than the time constant of a PV module, about 250 to 520 s at 5 to 0.5 m/s wind."""
_WAVES = 3
_LEAST_WEIGHT = 0.3
"""Of a wave against the strongest possible one, so that all three are seen."""


class Clouds:
    """Sunlight as a sum of waves, and the warmth of a surface with heat capacity under it.

    A surface of heat capacity C and losses U follows each wave of angular frequency ω weaker by
    1/√(1 + (ωC/U)²) and later by the angle arctan(ωC/U): the steady solution of C·dθ/dt = q − Uθ.

    Parameters
    ----------
    share
        Share of the sunlight that the clouds take where they are thickest, 0..1.
    lag_s
        Time constant C/U in seconds.
    rng
        Draws periods, phases and strengths of the waves.
    """

    def __init__(self, share: float, lag_s: float, rng: np.random.Generator) -> None:
        self._share, self._lag_s = share, lag_s
        self._omega = 2 * np.pi / rng.uniform(*_PERIODS_S, _WAVES)
        self._phase = rng.uniform(0, 2 * np.pi, _WAVES)
        weight = rng.uniform(_LEAST_WEIGHT, 1, _WAVES)
        self._weight = weight / weight.sum()

    def sunlight(self, time_s: float) -> float:
        """Return the share of clear-sky sunlight that arrives, 1 − share to 1."""
        return self._level(self._weight, self._omega * time_s + self._phase)

    def warmth(self, time_s: float) -> float:
        """Return the excess over the air as a share of the excess under a steady clear sky."""
        turn = self._omega * self._lag_s
        weaker = self._weight / np.sqrt(1 + turn**2)
        return self._level(weaker, self._omega * time_s + self._phase - np.arctan(turn))

    def mean_sunlight(self) -> float:
        """Return the mean of `sunlight` over a long time."""
        return 1 - self._share / 2

    def _level(self, weight: np.ndarray, angle: np.ndarray) -> float:
        return 1 - self._share * float(0.5 + 0.5 * weight @ np.cos(angle))
