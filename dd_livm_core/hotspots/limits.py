"""What counts as a hotspot, and where one shape ends and the next begins."""

from pydantic import BaseModel, ConfigDict, Field


class HotspotLimits(BaseModel):
    """Thresholds of hotspots and limits of their shapes, with areas and lengths in units of a PV module.

    They were chosen on development draws of the simulated stations, where few hotspots lie near a limit;
    `python -m benchmarks.augmentation` measures them on other draws.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold_k: float = Field(
        default=1.5, gt=0, description="least excess temperature in K of a radiometric hotspot"
    )
    threshold_sigma: float = Field(
        default=3.5, gt=0, description="least excess in spreads of the panels, of any hotspot"
    )
    wide_sigma: float = Field(
        default=1.6, gt=0, description="the same for stripes and blocks, whose noise averages out"
    )
    wide_area: float = Field(default=0.15, gt=0, description="least share of a PV module for that")
    min_area: float = Field(default=0.006, ge=0, description="least area, share of a PV module")
    join: float = Field(
        default=0.14,
        ge=0,
        description="parts closer than this share of the short side are one hotspot",
    )
    hidden_k: float = Field(
        default=1.0,
        gt=0,
        description="K below the panel from which a pixel is a leaf or a frame",
    )
    hidden_sigma: float = Field(
        default=2.5,
        gt=0,
        description="the same in spreads of the panels; the colder of both applies",
    )
    point_area: float = Field(
        default=0.065, gt=0, description="up to this share of a PV module: point"
    )
    block_area: float = Field(default=0.25, gt=0, description="least share of a PV module: block")
    block_width: float = Field(
        default=0.5,
        gt=0,
        description="least width of a block in short sides: between one and two of three substrings",
    )
    block_fill: float = Field(
        default=0.5, gt=0, le=1, description="least fill of a block's rectangle"
    )
    stripe_evenness: float = Field(
        default=0.45,
        gt=0,
        le=1,
        description="least share of a stripe's slices whose width is near their median",
    )
    stripe_length: float = Field(
        default=0.8, gt=0, description="length in long sides from which a stripe may be ragged"
    )
    stripe_aspect: float = Field(
        default=2.4, gt=1, description="least length over width of a shorter stripe"
    )
    stripe_fill: float = Field(
        default=0.6, gt=0, le=1, description="least fill of a shorter stripe's rectangle"
    )
