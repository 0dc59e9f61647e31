"""What a file says is read; what it does not say stays None."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from dd_livm_core.errors import InputError
from dd_livm_core.metadata import read_metadata
from tests import drone_files as made


def test_absent_is_none(tmp_path: Path) -> None:
    found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture())))
    assert (found.width_px, found.height_px) == (80, 64)
    values = [v for name, v in vars(found).items() if not name.endswith("_px")]
    assert values == [None] * len(values)


def test_dji_xmp_and_exif(tmp_path: Path) -> None:
    xmp = made.dji_xmp(RelativeAltitude="+41.10", GimbalPitchDegree="-89.90", GpsLatitude="-35.3")
    content = made.jpeg(made.picture(), at="2024:06:01 12:30:05", xmp=xmp)
    found = read_metadata(made.put(tmp_path / "a.jpg", content))
    assert (found.relative_altitude_m, found.gimbal_pitch_deg, found.latitude_deg) == (
        41.1,
        -89.9,
        -35.3,
    )
    assert found.taken_at == datetime(2024, 6, 1, 12, 30, 5)


def test_a_zone_is_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2024:06:01 12:30:05", 0x9011: "+02:00"})
    path = tmp_path / "a.jpg"
    Image.fromarray(made.picture()).save(path, exif=exif)
    taken_at = read_metadata(path).taken_at
    assert taken_at is not None
    assert taken_at.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("value", ["nan", "inf", "1e300", "abc", ""])
def test_numbers_that_are_none(tmp_path: Path, value: str) -> None:
    xmp = made.dji_xmp(RelativeAltitude=value, GpsLatitude=value)
    found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), xmp=xmp)))
    assert found.relative_altitude_m is None
    assert found.latitude_deg is None


def test_an_entity_bomb_in_xmp_is_not_expanded(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "boom">{entities}]>'
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{bomb}<RelativeAltitude>&e9;</RelativeAltitude></x:xmpmeta>"
    for text in (xmp, bomb + xmp):
        found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), xmp=text)))
        assert found.relative_altitude_m is None


def test_no_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_metadata(made.put(tmp_path / "a.jpg", b"text"))


@pytest.mark.real_data
def test_a_real_pair(real_data: Path) -> None:
    found = read_metadata(real_data / "pv_pairs/T/DJI_1_T.JPG")
    assert found.latitude_deg == pytest.approx(37.246, abs=0.002)
    assert found.longitude_deg == pytest.approx(-93.167, abs=0.002)
    assert found.relative_altitude_m == pytest.approx(41.1, abs=0.2)
    assert (found.camera_model, found.focal_length_mm) == ("XT2", 19.0)
