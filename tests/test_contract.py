"""Every quarantine rule catches what it names, and nothing else."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from dd_livm_core.contract import CONTRACT, quarantine_reasons, with_distance
from dd_livm_core.ingestion import ingest_mission
from dd_livm_core.manifest import build_manifest
from dd_livm_core.records import Mission, Site
from dd_livm_core.sites import write_site
from tests import drone_files as made


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return a manifest of five pairs that keeps the contract."""
    folder = tmp_path_factory.mktemp("contract")
    write_site(folder / "data", Site(site_id="s", latitude_deg=40, longitude_deg=10, radius_m=500))
    mission = Mission(mission_id="m", site_id="s", irradiance_w_m2=800)
    ingest_mission(made.mission_folder(folder / "in", 5), folder / "data", mission)
    table = build_manifest(folder / "data")
    table[["visible_width_px", "visible_height_px"]] = [640.0, 512.0]
    table[["latitude_deg", "longitude_deg", "gimbal_pitch_deg"]] = [40.001, 10.001, -90.0]
    return table


def test_a_good_manifest_keeps_the_contract(good: pd.DataFrame) -> None:
    assert quarantine_reasons(good).empty


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("unreadable", "cut", "read"),
        ("infrared_width_px", 20.0, "width"),
        ("visible_height_px", 90_000.0, "height"),
        ("gimbal_pitch_deg", -20.0, "nadir"),
        ("relative_altitude_m", 900.0, "height above"),
        ("latitude_deg", 41.0, "radius"),
        ("labels_outside_frame", 2, "inside the infrared frame"),
    ],
)
def test_each_rule_sets_aside_the_one_pair(
    good: pd.DataFrame, column: str, value: object, word: str
) -> None:
    table = good.copy()
    table.loc[2, column] = value
    reasons = quarantine_reasons(table)
    assert reasons["pair_id"].unique().tolist() == [table.loc[2, "pair_id"]]
    assert reasons["expected"].str.contains(word).any()


def test_two_sites_sharing_an_image(good: pd.DataFrame) -> None:
    table = pd.concat([good, good.iloc[[1]].assign(site_id="t")], ignore_index=True)
    assert set(quarantine_reasons(table)["site_id"]) == {"t"}


def test_unknown_is_not_wrong(good: pd.DataFrame) -> None:
    table = good.copy()
    columns = ["latitude_deg", "longitude_deg", "gimbal_pitch_deg", "relative_altitude_m"]
    table[columns] = float("nan")
    assert quarantine_reasons(table).empty


def test_a_degree_of_latitude_is_111_km(good: pd.DataFrame) -> None:
    table = with_distance(good.assign(latitude_deg=41.0, longitude_deg=10.0))
    assert table["distance_to_site_m"].iloc[0] == pytest.approx(111_195, rel=1e-3)


def test_rules_are_data_with_reasons() -> None:
    for rule in CONTRACT:
        assert rule.reason
        assert dataclasses.is_dataclass(rule)
        assert rule.severity in ("quarantine", "warn")


def test_sites_are_refused_when_broken(tmp_path: Path) -> None:
    from dd_livm_core.errors import InputError
    from dd_livm_core.sites import read_sites

    (tmp_path / "sites.json").write_text('{"sites": [{"site_id": "../up"}]}')
    with pytest.raises(InputError):
        read_sites(tmp_path)
