"""Defines what the whole project speaks of: classes of defects, hotspot shapes, sites, missions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

HotspotShape = Literal["point", "stripe", "block", "patch"]
TemperatureUnit = Literal["celsius", "kelvin", "centikelvin", "decikelvin"]
LabelFormat = Literal["coco", "yolo", "voc"]
DefectClass = Literal["weeds", "dust", "breakage", "open_circuit", "diode_failure"]
Unknown = Literal["unknown"]
"""Instead of a class, where no visible image says whether a hotspot comes from outside or inside."""

Progress = Callable[[int, int, str], None]
"""Called with how many are done, how many there are, and a note for a person."""

HOTSPOT_SHAPES: tuple[HotspotShape, ...] = get_args(HotspotShape)
UNKNOWN: Unknown = "unknown"
DEFECT_CLASSES: tuple[DefectClass, ...] = get_args(DefectClass)
EXTERNAL_DEFECTS: tuple[DefectClass, ...] = ("weeds", "dust", "breakage")
"""Defects that the visible image shows."""
INTERNAL_DEFECTS: tuple[DefectClass, ...] = ("open_circuit", "diode_failure")
"""Electrical defects, which only the infrared image shows."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A name that is safe as a folder's on every system, and never a path."""


class Record(BaseModel):
    """Base of all stored records: immutable; unknown keys and numbers without end are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Site(Record):
    """A PV plant; None is what was not declared."""

    site_id: Identifier
    city: str | None = None
    terrain: str | None = None
    mounting: str | None = None
    pv_module_width_m: float = Field(1.0, gt=0.2, lt=5.0, description="short side of one PV module")
    pv_module_height_m: float = Field(1.7, gt=0.2, lt=5.0, description="long side of one PV module")
    latitude_deg: float | None = Field(None, ge=-90, le=90)
    longitude_deg: float | None = Field(None, ge=-180, le=180)
    radius_m: float = Field(3000.0, gt=0, description="how far from the coordinates a pair may lie")
    simulated: bool = False

    @property
    def pv_module_m(self) -> tuple[float, float]:
        """Return the short and the long side of a PV module, metres."""
        sides = sorted((self.pv_module_width_m, self.pv_module_height_m))
        return sides[0], sides[1]


class DeclaredUnit(Record):
    """What the numbers in a TIFF mean: number * scale + offset is a temperature in this unit."""

    unit: TemperatureUnit
    scale: float = Field(1.0, gt=0, lt=1000)
    offset: float = Field(0.0, gt=-10_000, lt=10_000)

    def __str__(self) -> str:
        """Return the unit as text for a person, such as ``0.04 kelvin``."""
        scaled = self.unit if self.scale == 1 else f"{self.scale:g} {self.unit}"
        return scaled if self.offset == 0 else f"{scaled} {self.offset:+g}"


@dataclass(frozen=True)
class MeasurementParameters:
    """What a camera's counts become temperatures with; None is left to what each file says.

    ``relative_humidity`` is a share of 1, ``distance_m`` from the camera to what it sees.
    """

    emissivity: float | None = None
    reflected_c: float | None = None
    distance_m: float | None = None
    relative_humidity: float | None = None

    def __str__(self) -> str:
        """Return what is not None as text, such as ``emissivity 0.9, reflected_c -20``."""
        said = ((name, value) for name, value in vars(self).items() if value is not None)
        return ", ".join(f"{name} {value:g}" for name, value in said)


FROM_FILE = MeasurementParameters()
"""All parameters are left to the files."""


class Mission(Record):
    """One flight over a site; None is what was not recorded."""

    mission_id: Identifier
    site_id: Identifier
    drone: str | None = None
    infrared_camera: str | None = None
    visible_camera: str | None = None
    infrared_unit: DeclaredUnit | None = Field(
        None, description="of TIFF files that do not say it themselves"
    )
    emissivity: float | None = Field(None, ge=0.1, le=1, description="of what the camera sees")
    reflected_c: float | None = Field(
        None,
        ge=-100,
        le=500,
        description="apparent temperature of what is mirrored, such as the sky",
    )
    object_distance_m: float | None = Field(None, gt=0, le=1000)
    relative_humidity: float | None = Field(None, ge=0, le=1, description="a share of 1")
    irradiance_w_m2: float | None = Field(None, ge=0, le=1600)
    wind_m_s: float | None = Field(None, ge=0, le=60)
    ambient_c: float | None = Field(None, ge=-60, le=60)
    flight_height_m: float | None = Field(None, gt=0, le=1000)
    started_at: datetime | None = None
    sources: tuple[str, ...] = Field(
        (),
        description="folders that it was ingested from; relative to the workspace where they lie in it",
    )
    simulated: bool = False

    @property
    def measurement_parameters(self) -> MeasurementParameters:
        """Return what the mission declares instead of what its FLIR and DJI files say."""
        return MeasurementParameters(
            self.emissivity, self.reflected_c, self.object_distance_m, self.relative_humidity
        )
