"""Every rule of the contract, run through a real checkpoint, catches what it names and nothing else."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from dd_livm_core.missions.contract import CONTRACT, add_derived_columns
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from tasks.validate import Finding, quarantine, run_checkpoint
from tests import drone_files as made

PAIRS = 26
DISTINCT = ["weeds", "dust", "breakage", "open_circuit", "diode_failure"]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return a manifest of pairs that keeps the contract."""
    folder = tmp_path_factory.mktemp("contract")
    write_site(folder / "data", Site(site_id="s", latitude_deg=40, longitude_deg=10, radius_m=500))
    mission = Mission(mission_id="m", site_id="s", irradiance_w_m2=800)
    ingest_mission(made.mission_folder(folder / "in", PAIRS), folder / "data", mission)
    table = build_manifest(folder / "data")
    table[["visible_width_px", "visible_height_px"]] = [640.0, 512.0]
    table[["latitude_deg", "longitude_deg", "gimbal_pitch_deg"]] = [40.001, 10.001, -90.0]
    table[["infrared_median_c", "infrared_max_c"]] = [41.0, 66.0]
    table[[f"labels_{name}" for name in DISTINCT]] = 1
    return table


BROKEN: dict[int, tuple[str, object, str]] = {
    0: ("unreadable", "cut", "read"),
    1: ("infrared_width_px", 20.0, "infrared width"),
    2: ("infrared_height_px", 9000.0, "infrared height"),
    3: ("visible_width_px", 90.0, "visible width"),
    4: ("visible_height_px", 90_000.0, "visible height"),
    5: ("infrared_dtype", "int8", "known type"),
    6: ("infrared_median_c", 131.0, "median temperature"),
    7: ("pair_gap_s", 9.0, "taken together"),
    8: ("gimbal_pitch_deg", -20.0, "nadir"),
    9: ("relative_altitude_m", 900.0, "height above"),
    10: ("latitude_deg", 41.0, "radius"),
    11: ("labels_broken", "a class of moss", "known classes"),
    12: ("labels_outside_frame", 2, "inside the infrared frame"),
}
"""Row → column, value that breaks one rule, word of that rule."""
SHARED = {13: "infrared_sha256", 15: "visible_sha256"}
"""Row → hash that the next row, of another site, shares."""
REPORTED: dict[int, tuple[str, object, str]] = {
    18: ("infrared_max_c", 400.0, "highest temperature"),
    19: ("taken_at", "2024-06-01 11:00:00", "order of the file numbers"),
    21: ("irradiance_w_m2", 590.0, "at least 600"),
    22: ("irradiance_w_m2", float("nan"), "irradiance is recorded"),
    23: ("latitude_deg", float("nan"), "a position"),
    24: ("taken_at", None, "a time"),
}
"""The same for rules that only report."""


@pytest.fixture(scope="module")
def findings(good: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    table = good.copy()
    for row, (column, value, _) in {**BROKEN, **REPORTED}.items():
        table.loc[row, column] = value
    for row, column in SHARED.items():
        table.loc[row + 1, [column, "site_id"]] = [table.loc[row, column], "t"]
    table["labels_weeds"] = 0
    return run_checkpoint(table, tmp_path_factory.mktemp("broken"))


def rows(finding: Finding) -> set[int]:
    return {int(str(pair["pair_id"])[-4:]) for pair in finding.pairs}


def finding(findings: list[Finding], word: str) -> Finding:
    (found,) = [f for f in findings if word in f.reason]
    return found


def test_a_good_manifest_keeps_every_rule(good: pd.DataFrame, tmp_path: Path) -> None:
    assert [f.reason for f in run_checkpoint(good, tmp_path) if not f.kept] == []


@pytest.mark.parametrize("row", BROKEN)
def test_a_rule_sets_aside_the_one_pair(findings: list[Finding], row: int) -> None:
    broken = finding(findings, BROKEN[row][2])
    assert rows(broken) == {row}
    assert broken.severity == "quarantine"


@pytest.mark.parametrize("row", SHARED)
def test_two_sites_sharing_an_image_lose_both(findings: list[Finding], row: int) -> None:
    side = SHARED[row].removesuffix("_sha256")
    (broken,) = [f for f in findings if "share" in f.reason and side in f.reason]
    assert rows(broken) == {row, row + 1}


@pytest.mark.parametrize("row", REPORTED)
def test_a_rule_reports_the_one_pair(findings: list[Finding], row: int) -> None:
    reported = finding(findings, REPORTED[row][2])
    assert rows(reported) == {row}
    assert reported.severity == "warn"


def test_a_class_without_labels_is_reported(findings: list[Finding]) -> None:
    assert not finding(findings, "labels of weeds").kept
    assert finding(findings, "labels of dust").kept


def test_what_is_set_aside_has_its_reason(findings: list[Finding]) -> None:
    entries = quarantine(findings)
    assert {int(entry["pair_id"][-4:]) for entry in entries} == {*BROKEN, 13, 14, 15, 16}
    assert {
        "site_id": "s",
        "mission_id": "m",
        "pair_id": "DJI_0008",
        "expected": "gimbal within 30 degrees of nadir",
        "found": "gimbal_pitch_deg = -20.0",
    } in entries


def test_every_rule_was_seen_to_fire(findings: list[Finding]) -> None:
    silent = {f.reason for f in findings if f.kept}
    assert silent == {f"some labels of {name}" for name in DISTINCT[1:]}
    assert len(findings) == len(CONTRACT)


def test_unknown_is_not_wrong(good: pd.DataFrame, tmp_path: Path) -> None:
    table = good.copy()
    columns = ["latitude_deg", "longitude_deg", "gimbal_pitch_deg", "relative_altitude_m"]
    table[[*columns, "pair_gap_s", "infrared_median_c", "infrared_max_c"]] = float("nan")
    table["taken_at"] = None
    assert quarantine(run_checkpoint(table, tmp_path)) == []


def test_a_column_that_is_missing_is_no_kept_rule(good: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="frame"):
        run_checkpoint(good.drop(columns="labels_outside_frame"), tmp_path)


def test_the_page_loads_nothing(good: pd.DataFrame, tmp_path: Path) -> None:
    run_checkpoint(good, tmp_path)
    page = (tmp_path / "index.html").read_text()
    asked: list[str] = []

    class Resources(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            asked.extend(
                f"{tag} {v}" for k, v in attrs if k in ("src", "href") and v and v[0] != "#"
            )

    Resources().feed(page)
    assert asked == []
    assert "@import" not in page
    assert "gimbal_pitch_deg" in page


def test_a_degree_of_latitude_is_111_km(good: pd.DataFrame) -> None:
    table = add_derived_columns(good.assign(latitude_deg=41.0, longitude_deg=10.0))
    assert table["distance_to_site_m"].iloc[0] == pytest.approx(111_195, rel=1e-3)


def test_clocks_that_differ_are_no_wrong_pairs(good: pd.DataFrame) -> None:
    """A camera an hour behind the other on the whole mission."""
    table = add_derived_columns(good.assign(pair_gap_s=3600.0))
    assert (table["pair_gap_off_s"] == 0).all()


def test_numbers_are_ordered_as_numbers(good: pd.DataFrame) -> None:
    """DJI_9 comes before DJI_10; what begins anew in another folder is no step back."""
    few = good.iloc[:4].copy()
    few["pair_id"] = ["DJI_10", "DJI_9", "south_DJI_1", "south_DJI_2"]
    few["taken_at"] = [f"2024-06-01 12:00:{s:02d}" for s in (30, 20, 5, 6)]
    since = add_derived_columns(few)["since_previous_s"]
    assert since.dropna().tolist() == [10, 1]
