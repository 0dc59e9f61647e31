"""Records and pairs of a mission's folder are read as they stand, or refused with the reason."""

from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import MISSION, image_pairs, read_record, validate_record
from dd_livm_core.records import Mission, Site
from tests import drone_files as made


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    mission = Mission(mission_id="monday", site_id="springfield", irradiance_w_m2=850)
    made.put(tmp_path / MISSION, mission.model_dump_json().encode())
    assert read_record(tmp_path / MISSION, Mission) == mission


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"mission_id": "m"}',
        b'{"mission_id": "../up", "site_id": "s"}',
        b'{"mission_id": "m", "site_id": "s", "irradiance": 850}',
    ],
)
def test_a_broken_record_is_refused_and_named(tmp_path: Path, content: bytes) -> None:
    path = made.put(tmp_path / MISSION, content)
    with pytest.raises(InputError) as refused:
        read_record(path, Mission)
    assert refused.value.where == str(path)


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a Mission record"):
        read_record(tmp_path / MISSION, Mission)


def test_a_value_out_of_its_bounds_is_named_with_its_field() -> None:
    with pytest.raises(InputError, match=r"latitude_deg.*found 91"):
        validate_record(Site, {"site_id": "s", "latitude_deg": 91}, "the command line")
    site = validate_record(Site, {"site_id": "s", "latitude_deg": 90}, "the command line")
    assert site == Site(site_id="s", latitude_deg=90)


def test_pairs_are_files_of_one_name_and_an_infrared_file_may_be_alone(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.tiff", "lonely.jpg", ".c.jpg.7.tmp"):
        made.put(tmp_path / "infrared" / name, b"")
    for name in ("a.jpg", "b.jpg", "other.jpg", ".c.jpg.7.tmp"):
        made.put(tmp_path / "visible" / name, b"")
    found = [(p.pair_id, *(path.name for path in p.paths)) for p in image_pairs(tmp_path)]
    assert found == [("a", "a.tiff", "a.jpg"), ("b", "b.jpg", "b.jpg"), ("lonely", "lonely.jpg")]
