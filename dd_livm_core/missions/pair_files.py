"""Names the image files of one pair, or the infrared file that is without a visible one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dd_livm_core.errors import InputError
from dd_livm_core.records import FROM_FILE, DeclaredUnit, MeasurementParameters

PairedBy = Literal["name", "time", "order"]


@dataclass(frozen=True)
class PairFiles:
    """An infrared file and the visible one of the same moment, with what the flight's record says of it.

    Attributes
    ----------
    pair_id
        The pair's name within its mission.
    visible
        None where the infrared image is alone: there is no visible one that belongs to it.
    paired_by
        How the two files were found to belong together; None for an infrared image alone.
    infrared_unit
        Unit of a TIFF's values, where the file does not say it itself.
    measurement_parameters
        Take the place of those in FLIR's and DJI's files, where they are not None.
    irradiance_w_m2, wind_m_s
        None where they were not recorded.
    """

    pair_id: str
    infrared: Path
    visible: Path | None
    paired_by: PairedBy | None = "name"
    infrared_unit: DeclaredUnit | None = None
    measurement_parameters: MeasurementParameters = FROM_FILE
    irradiance_w_m2: float | None = None
    wind_m_s: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the infrared file and, where there is one, the visible file."""
        return (self.infrared,) if self.visible is None else (self.infrared, self.visible)


def concerns_visible(error: InputError, pair: PairFiles) -> bool:
    """Return whether an error is of a pair's visible file alone, so that the infrared one may be used."""
    return pair.visible is not None and error.where == str(pair.visible)
