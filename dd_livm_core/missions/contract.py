"""The data contract on the manifest: rules as data, each with its reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from dd_livm_core.missions.manifest import KEY
from dd_livm_core.missions.pairing_by_time import TIME_TOLERANCE_S
from dd_livm_core.records import DEFECT_CLASSES

Severity = Literal["quarantine", "warn"]
MIN_IRRADIANCE_W_M2 = 600.0
EARTH_RADIUS_M = 6_371_000.0


class ContractLimits(BaseModel):
    """When the data contract stops a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_quarantined_pct: float = Field(
        20.0, ge=0, le=100, description="share of pairs set aside above which the run stops"
    )


@dataclass(frozen=True)
class Rule:
    """One rule, in the words of Great Expectations.

    Attributes
    ----------
    expectation
        Name of a Great Expectations expectation class.
    severity
        ``quarantine`` sets the failing pairs aside; ``warn`` only tells.
    """

    expectation: str
    kwargs: Mapping[str, Any]
    reason: str
    severity: Severity = "quarantine"


def _between(
    column: str,
    low: float | None,
    high: float | None,
    reason: str,
    severity: Severity = "quarantine",
) -> Rule:
    return Rule(
        "ExpectColumnValuesToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
        reason,
        severity,
    )


def _null(column: str, reason: str) -> Rule:
    return Rule("ExpectColumnValuesToBeNull", {"column": column}, reason)


def _unique(column: str, reason: str) -> Rule:
    return Rule("ExpectColumnValuesToBeUnique", {"column": column}, reason)


def _known(column: str, reason: str) -> Rule:
    return Rule("ExpectColumnValuesToNotBeNull", {"column": column}, reason, "warn")


CONTRACT: tuple[Rule, ...] = (
    _null("unreadable", "both files can be read"),
    _unique("infrared_sha256", "no two pairs, of whatever site, share an infrared image"),
    _unique("visible_sha256", "no two pairs, of whatever site, share a visible image"),
    _between("infrared_width_px", 80, 2048, "infrared width of a drone camera, px"),
    _between("infrared_height_px", 60, 2048, "infrared height of a drone camera, px"),
    _between("visible_width_px", 320, 12000, "visible width of a drone camera, px"),
    _between("visible_height_px", 240, 12000, "visible height of a drone camera, px"),
    Rule(
        "ExpectColumnValuesToBeInSet",
        {
            "column": "infrared_dtype",
            "value_set": ["uint8", "uint16", "int16", "float32", "float64"],
        },
        "infrared numbers of a known type",
    ),
    _between("infrared_median_c", -40, 120, "median temperature of a plant, °C"),
    _between("infrared_max_c", -40, 300, "highest temperature of a plant, °C", "warn"),
    _between("pair_gap_off_s", 0, TIME_TOLERANCE_S, "both images of a pair taken together, s"),
    _between("since_previous_s", 0, None, "times in the order of the file numbers, s", "warn"),
    _between("gimbal_pitch_deg", -120, -60, "gimbal within 30 degrees of nadir"),
    _between("relative_altitude_m", 3, 150, "height above take-off that resolves panels, m"),
    Rule(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "column_A": "site_radius_m",
            "column_B": "distance_to_site_m",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        "the pair was taken within the site's radius",
    ),
    _null("labels_broken", "labels of known classes and shapes, with boxes"),
    _between("labels_outside_frame", 0, 0, "label boxes inside the infrared frame"),
    _between(
        "irradiance_w_m2", MIN_IRRADIANCE_W_M2, None, "irradiance of at least 600 W/m2", "warn"
    ),
    _known("irradiance_w_m2", "irradiance is recorded"),
    _known("latitude_deg", "the pair has a position"),
    _known("taken_at", "the pair has a time"),
    *(
        Rule(
            "ExpectColumnSumToBeBetween",
            {"column": f"labels_{name}", "min_value": 1, "max_value": None},
            f"some labels of {name}",
            "warn",
        )
        for name in DEFECT_CLASSES
    ),
)


def with_derived(manifest: pd.DataFrame) -> pd.DataFrame:
    """Add what rules need beside a manifest's columns.

    ``distance_to_site_m``: great-circle distance where both positions are known (haversine).
    ``pair_gap_off_s``: how far the time between both images is from the mission's usual; cameras may run by
    different clocks. ``since_previous_s``: time since the image of the preceding number.
    """
    table = manifest.copy()
    table["distance_to_site_m"] = _distance_to_site_m(table)
    missions = [table[name] for name in KEY[:2]]
    gap_s = table["pair_gap_s"].astype("float64")
    table["pair_gap_off_s"] = (gap_s - gap_s.groupby(missions).transform("median")).abs()
    table["since_previous_s"] = _since_previous_s(table)
    return table


def _distance_to_site_m(table: pd.DataFrame) -> NDArray[np.float64]:
    latitude, longitude, site_latitude, site_longitude = (
        np.radians(table[name].to_numpy(float))
        for name in ("latitude_deg", "longitude_deg", "site_latitude_deg", "site_longitude_deg")
    )
    half = (
        np.sin((latitude - site_latitude) / 2) ** 2
        + np.cos(latitude) * np.cos(site_latitude) * np.sin((longitude - site_longitude) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def _since_previous_s(table: pd.DataFrame) -> "pd.Series[float]":
    """Compare within images whose names differ in their numbers only: others are another flight's."""
    names = table["pair_id"].astype(str)
    flights = [*(table[name] for name in KEY[:2]), names.str.replace(r"\d+", "#", regex=True)]
    numbers = names.map(lambda name: [int(part) for part in re.findall(r"\d+", name)])
    order = numbers.sort_values(kind="stable").index
    local = pd.to_datetime(table["taken_at"].str.slice(0, 19), errors="coerce", format="ISO8601")
    seconds = (local - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)
    return seconds.loc[order].groupby([flight.loc[order] for flight in flights]).diff()
