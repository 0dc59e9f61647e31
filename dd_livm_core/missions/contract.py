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
"""Least irradiance on the PV modules for outdoor thermography, of IEC TS 62446-3 as quoted in open literature."""
EARTH_RADIUS_M = 6_371_000.0
"""Mean radius."""


class ContractLimits(BaseModel):
    """From where on broken rules stop a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_quarantined_pct: float = Field(
        20.0, ge=0, le=100, description="share of pairs set aside above which the run stops"
    )


@dataclass(frozen=True)
class Rule:
    """One rule of the contract.

    Attributes
    ----------
    expectation, kwargs
        Name of a Great Expectations class, and what it is made with.
    reason
        What the rule asks for, as a person reads it.
    severity
        ``quarantine`` sets the failing pairs aside; ``warn`` only reports them.
    """

    expectation: str
    kwargs: Mapping[str, Any]
    reason: str
    severity: Severity = "quarantine"


def _expect_between(
    column: str,
    low: float | None,
    high: float | None,
    reason: str,
    severity: Severity = "quarantine",
) -> Rule:
    """Return a rule of bounds, which belong to the allowed values; None is no bound."""
    return Rule(
        "ExpectColumnValuesToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
        reason,
        severity,
    )


def _expect_null(column: str, reason: str) -> Rule:
    """Return a rule that a column of faults is empty."""
    return Rule("ExpectColumnValuesToBeNull", {"column": column}, reason)


def _expect_unique(column: str, reason: str) -> Rule:
    """Return a rule that no two pairs share a value."""
    return Rule("ExpectColumnValuesToBeUnique", {"column": column}, reason)


def _expect_known(column: str, reason: str) -> Rule:
    """Return a rule that only reports the pairs without a value."""
    return Rule("ExpectColumnValuesToNotBeNull", {"column": column}, reason, "warn")


CONTRACT: tuple[Rule, ...] = (
    _expect_null("unreadable", "both files can be read"),
    _expect_unique("infrared_sha256", "no two pairs, of whatever site, share an infrared image"),
    _expect_unique("visible_sha256", "no two pairs, of whatever site, share a visible image"),
    _expect_between("infrared_width_px", 80, 2048, "infrared width of a drone camera, px"),
    _expect_between("infrared_height_px", 60, 2048, "infrared height of a drone camera, px"),
    _expect_between("visible_width_px", 320, 12000, "visible width of a drone camera, px"),
    _expect_between("visible_height_px", 240, 12000, "visible height of a drone camera, px"),
    Rule(
        "ExpectColumnValuesToBeInSet",
        {
            "column": "infrared_dtype",
            "value_set": ["uint8", "uint16", "int16", "float32", "float64"],
        },
        "infrared numbers of a known type",
    ),
    _expect_between("infrared_median_c", -40, 120, "median temperature of a plant, °C"),
    _expect_between("infrared_max_c", -40, 300, "highest temperature of a plant, °C", "warn"),
    _expect_between(
        "pair_gap_off_s", 0, TIME_TOLERANCE_S, "both images of a pair taken together, s"
    ),
    _expect_between(
        "since_previous_s", 0, None, "times in the order of the file numbers, s", "warn"
    ),
    _expect_between("gimbal_pitch_deg", -120, -60, "gimbal within 30 degrees of nadir"),
    _expect_between("relative_altitude_m", 3, 150, "height above take-off that resolves panels, m"),
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
    _expect_null("labels_broken", "labels of known classes and shapes, with boxes"),
    _expect_between("labels_outside_frame", 0, 0, "label boxes inside the infrared frame"),
    _expect_between(
        "irradiance_w_m2", MIN_IRRADIANCE_W_M2, None, "irradiance of at least 600 W/m2", "warn"
    ),
    _expect_known("irradiance_w_m2", "irradiance is recorded"),
    _expect_known("latitude_deg", "the pair has a position"),
    _expect_known("taken_at", "the pair has a time"),
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


def add_derived_columns(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of a manifest with the columns that only rules need.

    ``distance_to_site_m``
        Great-circle distance of the pair from its site; NaN where one position is not known.
    ``pair_gap_off_s``
        How far the time between a pair's images is from the mission's median, since the clocks of two cameras may
        differ by a constant.
    ``since_previous_s``
        Time since the image of the preceding number; negative where the order of times and numbers differs.
    """
    table = manifest.copy()
    table["distance_to_site_m"] = _distance_to_site_m(table)
    missions = [table[name] for name in KEY[:2]]
    gap_s = table["pair_gap_s"].astype("float64")
    table["pair_gap_off_s"] = (gap_s - gap_s.groupby(missions).transform("median")).abs()
    table["since_previous_s"] = _since_previous_s(table)
    return table


def _distance_to_site_m(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return great-circle distances in metres, by the haversine formula, float64 (rows,)."""
    latitude, longitude, site_latitude, site_longitude = (
        np.radians(table[name].to_numpy(float))
        for name in ("latitude_deg", "longitude_deg", "site_latitude_deg", "site_longitude_deg")
    )
    haversine = (
        np.sin((latitude - site_latitude) / 2) ** 2
        + np.cos(latitude) * np.cos(site_latitude) * np.sin((longitude - site_longitude) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(haversine, 0, 1))))


def _since_previous_s(table: pd.DataFrame) -> "pd.Series[float]":
    """Return seconds since the image of the preceding number, NaN for the first of a flight.

    Images are compared within one name pattern (digits removed): another pattern is another flight.
    """
    names = table["pair_id"].astype(str)
    flights = [*(table[name] for name in KEY[:2]), names.str.replace(r"\d+", "#", regex=True)]
    numbers = names.map(lambda name: [int(part) for part in re.findall(r"\d+", name)])
    order = numbers.sort_values(kind="stable").index
    local = pd.to_datetime(table["taken_at"].str.slice(0, 19), errors="coerce", format="ISO8601")
    seconds = (local - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)
    return seconds.loc[order].groupby([flight.loc[order] for flight in flights]).diff()
