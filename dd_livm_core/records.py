"""The words of the field as types: defects, shapes, sites, missions."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

HotspotShape = Literal["point", "stripe", "block", "patch"]
TemperatureUnit = Literal["celsius", "kelvin", "centikelvin", "decikelvin"]
LabelFormat = Literal["coco", "yolo", "voc"]
DefectClass = Literal["weeds", "dust", "breakage", "open_circuit", "diode_failure"]

Progress = Callable[[int, int, str], None]
"""Called with how many are done, of how many, and a note for a person."""

HOTSPOT_SHAPES: tuple[HotspotShape, ...] = get_args(HotspotShape)
DEFECT_CLASSES: tuple[DefectClass, ...] = get_args(DefectClass)
EXTERNAL_DEFECTS: tuple[DefectClass, ...] = ("weeds", "dust", "breakage")
"""Seen in the visible image."""
INTERNAL_DEFECTS: tuple[DefectClass, ...] = ("open_circuit", "diode_failure")
"""Electrical: the visible image shows nothing."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Safe as a folder name on every system, and never a path."""


class Record(BaseModel):
    """Base of all stored records: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Site(Record):
    """A photovoltaic station."""

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
    """What the stored numbers of a TIFF mean: number times scale plus offset is a temperature in this unit."""

    unit: TemperatureUnit
    scale: float = Field(1.0, gt=0, lt=1000)
    offset: float = Field(0.0, gt=-10_000, lt=10_000)

    def __str__(self) -> str:
        """Return it in words."""
        scaled = self.unit if self.scale == 1 else f"{self.scale:g} {self.unit}"
        return scaled if self.offset == 0 else f"{scaled} {self.offset:+g}"


class Mission(Record):
    """One flight over a site. Whatever was not recorded is null, never invented."""

    mission_id: Identifier
    site_id: Identifier
    drone: str | None = None
    infrared_camera: str | None = None
    visible_camera: str | None = None
    infrared_unit: DeclaredUnit | None = Field(
        None, description="of TIFF files that do not say it themselves"
    )
    irradiance_w_m2: float | None = Field(None, ge=0, le=1600)
    wind_m_s: float | None = Field(None, ge=0, le=60)
    ambient_c: float | None = Field(None, ge=-60, le=60)
    flight_height_m: float | None = Field(None, gt=0, le=1000)
    started_at: datetime | None = None
    simulated: bool = False
