"""The record of a simulated station; each class is one table of its TOML file."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dd_livm_core.fleet.plausibility import problems
from dd_livm_core.records import DEFECT_CLASSES, DefectClass, Identifier

Level = Annotated[int, Field(ge=0, le=255)]
Rgb = Annotated[tuple[Level, Level, Level], Field(strict=False)]
Surface = Literal["grass", "scrub", "sand", "gravel", "concrete", "metal", "tile", "water"]


class Part(BaseModel):
    """Base of a profile's tables: immutable; refuses unknown keys, and text where a number belongs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Span(Part):
    """A range that a mission's or a pair's value is drawn from, evenly; ``[low, high]`` in the file."""

    low: float
    high: float

    @model_validator(mode="before")
    @classmethod
    def _accept_list(cls, value: object) -> object:
        if isinstance(value, (list, tuple)) and len(value) == 2:
            return {"low": value[0], "high": value[1]}
        return value

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"the range starts at {self.low} and ends below, at {self.high}")
        return self


class NonNegativeSpan(Span):
    """A range of values that cannot be negative."""

    low: float = Field(ge=0)


class PvModule(Part):
    """The station's kind of PV module: size, cells, look, efficiency."""

    technology: Literal["mono", "poly", "half_cell", "thin_film"]
    width_m: float = Field(gt=0.3, lt=3, description="short side")
    height_m: float = Field(gt=0.5, lt=3.5, description="long side")
    landscape: bool = Field(False, description="long side along the row")
    cells_across: int = Field(6, ge=1, le=20, description="along the short side")
    cells_along: int = Field(10, ge=1, le=40, description="along the long side")
    substrings: int = Field(3, ge=1, le=6, description="bypass diodes")
    efficiency: float = Field(0.18, gt=0.03, lt=0.35, description="at 25 °C")
    temperature_coefficient_per_k: float = Field(0.0038, ge=0, lt=0.01)
    absorptivity: float = Field(0.9, gt=0.5, le=1)
    cell_rgb: Rgb = (38, 48, 92)
    tint_spread: float = Field(0.06, ge=0, le=0.5)
    backsheet_rgb: Rgb = (205, 208, 212)
    frame_rgb: Rgb = (190, 192, 196)
    frame_width_m: float = Field(0.035, ge=0, lt=0.12)
    temperature_spread_k: float = Field(0.4, ge=0, le=3, description="between healthy PV modules")


class Rows(Part):
    """How PV modules form tables, tables form rows, and rows form the station."""

    count: int = Field(ge=1, le=400)
    length_m: float = Field(gt=3, le=2000)
    pitch_m: float = Field(gt=0.5, lt=60)
    pitch_jitter_m: float = Field(0, ge=0, lt=5)
    table_jitter_m: float = Field(0, ge=0, lt=3, description="of tables across their row")
    azimuth_deg: float = Field(0, ge=-180, le=180, description="of the row against east, to south")
    tilt_deg: float = Field(ge=0, le=60)
    tracker_swing_deg: float = Field(
        0, ge=0, le=45, description="by which the tilt differs, at most, from mission to mission"
    )
    flush: bool = Field(False, description="the surface leans with the tables, as a pitched roof")
    clearance_m: float = Field(1.0, ge=0, le=6, description="of the lower edge above the surface")
    modules_up: int = Field(ge=1, le=8, description="PV modules across a table")
    modules_per_table: int = Field(ge=1, le=200, description="PV modules along a table")
    module_gap_m: float = Field(0.02, ge=0, lt=0.5)
    table_gap_m: float = Field(0.3, ge=0, lt=30)
    base_rgb: Rgb | None = Field(None, description="floats or plinths under the tables")
    base_margin_m: float = Field(0.3, ge=0, le=5, description="of the base around the table")
    ragged: float = Field(0, ge=0, le=1, description="share of missing tables at row ends")


class Terrain(Part):
    """The ground, roof or water under the tables: two surfaces, their mixture and their heat."""

    surface: Surface
    second_surface: Surface
    second_share: float = Field(0.25, ge=0, le=1)
    patch_m: float = Field(9.0, gt=0.3, le=200)
    rgb: Rgb
    second_rgb: Rgb
    heating_k: float = Field(ge=-20, le=45, description="over ambient, 1000 W/m² and 1 m/s")
    second_heating_k: float = Field(ge=-20, le=45)
    texture_k: float = Field(1.5, ge=0, le=10)
    slope_deg: float = Field(0, ge=0, le=25)
    tracks: int = Field(1, ge=0, le=20, description="service tracks of the second surface")
    track_width_m: float = Field(4.0, gt=0.2, le=30)
    buildings: int = Field(1, ge=0, le=60, description="cabins, vents, skylights")
    building_m: float = Field(3.0, gt=0.2, le=30)
    puddles: float = Field(0, ge=0, le=1)


class Weather(Part):
    """Ranges that each mission's weather is drawn from."""

    irradiance_w_m2: NonNegativeSpan = NonNegativeSpan(low=650, high=1000)
    wind_m_s: NonNegativeSpan = NonNegativeSpan(low=0.5, high=5)
    ambient_c: Span = Span(low=15, high=32)
    sky_below_ambient_k: NonNegativeSpan = NonNegativeSpan(low=12, high=22)
    sun_elevation_deg: NonNegativeSpan = NonNegativeSpan(low=40, high=66)
    sun_azimuth_deg: Span = Span(low=130, high=230)
    haze: NonNegativeSpan = NonNegativeSpan(low=0, high=0.02)
    clouds: NonNegativeSpan = Field(
        NonNegativeSpan(low=0, high=0),
        description="share of sunlight that thin clouds take at most",
    )


class InfraredCamera(Part):
    """A microbolometer camera and its file format."""

    model: str = "simulated-ir"
    focal_px: float = Field(gt=200, lt=4000)
    radiometric: bool = True
    blur_px: float = Field(0.55, ge=0, lt=4, description="standard deviation of the point spread")
    noise_k: float = Field(0.06, ge=0, lt=2)
    fixed_pattern_k: float = Field(0.04, ge=0, lt=2)
    drift_k: float = Field(0.4, ge=0, lt=5)
    k1: float = Field(0, gt=-0.5, lt=0.5)
    emissivity: float = Field(0.9, gt=0.5, le=1)

    @property
    def file_suffix(self) -> str:
        """Return the suffix of infrared files, without a dot."""
        return "tif" if self.radiometric else "jpg"


class VisibleCamera(Part):
    """A colour camera."""

    model: str = "simulated-rgb"
    focal_px: float = Field(gt=300, lt=6000)
    k1: float = Field(0, gt=-0.5, lt=0.5)
    exposure: NonNegativeSpan = NonNegativeSpan(low=1.1, high=1.7)
    warmth: Span = Span(low=-0.06, high=0.06)
    sharpening: float = Field(0.7, ge=0, le=3)
    noise: float = Field(3.0, ge=0, le=40, description="grey levels")
    motion_blur_px: NonNegativeSpan = NonNegativeSpan(low=0, high=1.5)
    jpeg_quality: int = Field(90, ge=40, le=100)


class FlightPlan(Part):
    """How the drone flies: height, heading against the rows, and what moves between the two shutters."""

    drone: str = "simulated-drone"
    height_m: NonNegativeSpan
    heading_deg: Span = Field(Span(low=-4, high=4), description="of the image against the rows")
    heading_jitter_deg: float = Field(1.0, ge=0, le=20)
    tilt_jitter_deg: float = Field(0.6, ge=0, le=8)
    speed_m_s: float = Field(4.0, ge=0, le=20)
    time_skew_s: float = Field(0.05, ge=-0.5, le=0.5)
    time_skew_jitter_s: float = Field(0.012, ge=0, le=0.3)
    baseline_m: float = Field(0.03, ge=0, le=0.5)
    rig_rotation_deg: Span = Span(low=-1.2, high=1.2)
    rig_offset_px: NonNegativeSpan = NonNegativeSpan(low=0, high=25)
    position_error_m: float = Field(0.5, ge=0, le=20, description="of the satellite receiver")
    overlap: float = Field(0.35, ge=0, lt=0.95)


class Habit(Part):
    """A place where one class of defect is likelier: a link that holds at this station only."""

    defect_class: DefectClass
    near: Literal["second_surface", "row_start", "row_end", "lower_modules", "upper_modules"]
    strength: float = Field(5.0, gt=1, le=50, description="how much likelier than elsewhere")


class Defects(Part):
    """How often each class of defect occurs."""

    share: float = Field(0.02, ge=0, le=0.5, description="of PV modules")
    weights: dict[DefectClass, Annotated[float, Field(ge=0, le=1000)]] = dict.fromkeys(
        DEFECT_CLASSES, 1.0
    )
    habits: tuple[Habit, ...] = Field((), strict=False)
    harmless_share: float = Field(
        0.01, ge=0, le=0.5, description="plants and dirt that leave no heat"
    )


class LookAlikes(Part):
    """What looks like a defect and is none; birds are a chance per pair, cables and numbers per table."""

    glint_k: float = Field(8.0, ge=0, le=60, description="where the glass mirrors the sun")
    birds: float = Field(0.1, ge=0, le=1)
    cables: float = Field(0.15, ge=0, le=1)
    painted_numbers: float = Field(0.1, ge=0, le=1)
    junction_box_k: NonNegativeSpan = NonNegativeSpan(low=0.2, high=1.3)


class Profile(Part):
    """A simulated station: its tables as above, and where it lies."""

    site_id: Identifier
    city: str
    mounting: Literal["fixed_tilt", "tracker", "rooftop", "floating"]
    latitude_deg: float = Field(ge=-85, le=85)
    longitude_deg: float = Field(ge=-180, le=180)
    missions: int = Field(2, ge=1, le=20)
    pv_module: PvModule
    rows: Rows
    terrain: Terrain
    weather: Weather = Weather()
    infrared_camera: InfraredCamera
    visible_camera: VisibleCamera
    flight: FlightPlan
    defects: Defects = Field(default_factory=lambda: Defects.model_validate({}))
    look_alikes: LookAlikes = Field(default_factory=lambda: LookAlikes.model_validate({}))

    @property
    def module_up_m(self) -> float:
        """Return a PV module's size up the slope of its table, in metres."""
        return self.pv_module.width_m if self.pv_module.landscape else self.pv_module.height_m

    @property
    def module_size_m(self) -> tuple[float, float]:
        """Return a PV module's size along the row, and across it as seen from above, in metres."""
        along = self.pv_module.height_m if self.pv_module.landscape else self.pv_module.width_m
        return along, self.module_up_m * math.cos(math.radians(self.rows.tilt_deg))

    def with_tilt(self, tilt_deg: float) -> "Profile":
        """Return the profile with its tables at another tilt."""
        return self.model_copy(update={"rows": self.rows.model_copy(update={"tilt_deg": tilt_deg})})

    @model_validator(mode="after")
    def _check_plausible(self) -> Self:
        for key, problem in problems(self):
            raise ValueError(f"{key}: {problem}")
        return self
