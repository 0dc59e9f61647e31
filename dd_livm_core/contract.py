"""The data contract on the manifest: rules as data, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from dd_livm_core.manifest import KEY
from dd_livm_core.records import DEFECT_CLASSES

Severity = Literal["quarantine", "warn"]
MIN_IRRADIANCE_W_M2 = 600.0
EARTH_RADIUS_M = 6_371_000.0


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
    columns: tuple[str, ...] = field(default=())


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
        (column,),
    )


CONTRACT: tuple[Rule, ...] = (
    Rule(
        "ExpectColumnValuesToBeNull",
        {"column": "unreadable"},
        "both files can be read",
        columns=("unreadable",),
    ),
    Rule(
        "ExpectColumnValuesToBeUnique",
        {"column": "infrared_sha256"},
        "no two pairs share an infrared image",
        columns=("infrared_sha256",),
    ),
    Rule(
        "ExpectColumnValuesToBeUnique",
        {"column": "visible_sha256"},
        "no two pairs share a visible image",
        columns=("visible_sha256",),
    ),
    _between("infrared_width_px", 80, 2048, "infrared width of a drone camera, px"),
    _between("infrared_height_px", 60, 2048, "infrared height of a drone camera, px"),
    _between("visible_width_px", 320, 12000, "visible width of a drone camera, px"),
    _between("visible_height_px", 240, 12000, "visible height of a drone camera, px"),
    _between("gimbal_pitch_deg", -180, -60, "gimbal within 30 degrees of nadir"),
    _between("relative_altitude_m", 3, 150, "height above take-off that resolves panels, m"),
    _between("distance_to_site_m", 0, None, "a finite distance to the site"),
    Rule(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "column_A": "site_radius_m",
            "column_B": "distance_to_site_m",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        "the pair was taken within the site's radius",
        columns=("site_radius_m", "distance_to_site_m"),
    ),
    _between("labels_outside_frame", 0, 0, "label boxes inside the infrared frame"),
    _between(
        "irradiance_w_m2", MIN_IRRADIANCE_W_M2, None, "irradiance of at least 600 W/m2", "warn"
    ),
    Rule(
        "ExpectColumnValuesToNotBeNull",
        {"column": "irradiance_w_m2"},
        "irradiance is recorded",
        "warn",
        ("irradiance_w_m2",),
    ),
    Rule(
        "ExpectColumnValuesToNotBeNull",
        {"column": "latitude_deg"},
        "the pair has a position",
        "warn",
        ("latitude_deg",),
    ),
    Rule(
        "ExpectColumnValuesToNotBeNull",
        {"column": "taken_at"},
        "the pair has a time",
        "warn",
        ("taken_at",),
    ),
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


def with_distance(manifest: pd.DataFrame) -> pd.DataFrame:
    """Add ``distance_to_site_m``, the great-circle distance where both positions are known (haversine)."""
    table = manifest.copy()
    position = [
        np.radians(table[name].to_numpy(float)) for name in ("latitude_deg", "longitude_deg")
    ]
    site = [
        np.radians(table[name].to_numpy(float))
        for name in ("site_latitude_deg", "site_longitude_deg")
    ]
    half = (
        np.sin((position[0] - site[0]) / 2) ** 2
        + np.cos(position[0]) * np.cos(site[0]) * np.sin((position[1] - site[1]) / 2) ** 2
    )
    table["distance_to_site_m"] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return table


def _fails(rule: Rule, table: pd.DataFrame) -> "pd.Series[bool]":
    values = table[rule.columns[0]]
    if rule.expectation == "ExpectColumnValuesToBeNull":
        return values.notna()
    if rule.expectation == "ExpectColumnValuesToBeUnique":
        return values.notna() & values.duplicated(keep="first")
    if rule.expectation == "ExpectColumnPairValuesAToBeGreaterThanB":
        return table[rule.columns[1]] > values
    low, high = rule.kwargs["min_value"], rule.kwargs["max_value"]
    below = values < low if low is not None else pd.Series(False, index=table.index)
    return below | (values > high) if high is not None else below


def quarantine_reasons(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair and broken quarantine rule: the pair's key, the rule's reason, what was found."""
    table = with_distance(manifest)
    found: list[dict[str, Any]] = []
    for rule in (rule for rule in CONTRACT if rule.severity == "quarantine"):
        for _, row in table[_fails(rule, table).to_numpy(bool)].iterrows():
            values = ", ".join(f"{name} = {row[name]}" for name in rule.columns)
            found.append(
                {**{name: row[name] for name in KEY}, "expected": rule.reason, "found": values}
            )
    return pd.DataFrame(found, columns=[*KEY, "expected", "found"])
