"""How large a PV module is in one image."""

from dataclasses import dataclass
from math import isfinite

from dd_livm_core.errors import InputError

LONG_OVER_SHORT_SIDE = 1.7
"""For a PV module whose long side is not known: one of 60 cells is about 1.65 m by 0.99 m."""


@dataclass(frozen=True)
class PvModulePx:
    """Both sides of a PV module, in pixels of the image it is used with.

    Raises
    ------
    InputError
        A side is not positive and finite.
    """

    short: float
    long: float

    def __post_init__(self) -> None:
        if not (self.short > 0 and self.long > 0 and isfinite(self.area_px2)):
            raise InputError(
                "the size of a PV module in pixels",
                f"{self.short} by {self.long}",
                "PvModulePx",
                "Register the pair.",
            )

    @classmethod
    def from_short_side(cls, short: float) -> "PvModulePx":
        """Return the size of a PV module of which only the short side is known."""
        return cls(float(short), LONG_OVER_SHORT_SIDE * short)

    @property
    def area_px2(self) -> float:
        """Return the area in square pixels."""
        return self.short * self.long
