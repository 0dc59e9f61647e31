"""A station is one TOML file; a bad one is refused by file and key."""

from collections import Counter
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.fleet.profile_files import bundled_profiles, load_profile


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("count = 4", "count = 4\ncolour = 3", "rows.colour"),
        ("pitch_m = 7.0", "pitch_m = 2.0", "rows.pitch_m"),
        ("tilt_deg = 20", "tilt_deg = 95", "rows.tilt_deg"),
        ("focal_px = 1260", "focal_px = 500", "visible_camera.focal_px"),
        ("height_m = [24, 26]", "height_m = [26, 24]", "flight.height_m"),
        ("height_m = [24, 26]", "height_m = [240, 260]", "flight.height_m"),
        ("height_m = [24, 26]", "height_m = [2, 26]", "flight.height_m"),
        ("width_m = 1.0", "width_m = 2.0", "pv_module.width_m"),
        ("[defects]", "[weather]\nwind_m_s = [-1, 3]\n[defects]", "weather.wind_m_s"),
        ("[defects]", "[weather]\nwind_m_s = nan\n[defects]", "weather.wind_m_s"),
        ("share = 0.08", "share = 0.08\nweights = { rust = 1 }", "defects.weights.rust"),
        ("share = 0.08", "share = 0.08\nweights = { dust = 0 }", "defects.weights"),
        ('site_id = "test_plain"', 'site_id = "../up"', "site_id"),
        ("rgb = [110, 116, 70]", "rgb = [110, 316, 70]", "terrain.rgb"),
        ("latitude_deg = -35.3", "", "latitude_deg"),
        ("focal_px = 1260", "focal_px = 1800", "visible_camera.focal_px"),
        ("focal_px = 1260", "focal_px = 1260\nk1 = -0.49", "visible_camera.k1"),
        ("height_m = [24, 26]", "height_m = [24, 90]", "flight.height_m"),
        ("count = 4\nlength_m = 26", "count = 400\nlength_m = 1900", "rows.count"),
        ("cells_across = 6", "cells_across = 2", "pv_module.substrings"),
        ("tilt_deg = 20", 'tilt_deg = "20"', "rows.tilt_deg"),
        ("count = 4", "count = true", "rows.count"),
        ("count = 4", "count = 4.5", "rows.count"),
        ("count = 4", "count = [4]", "rows.count"),
        ("rgb = [110, 116, 70]", "rgb = [110, 116]", "terrain.rgb"),
        ("rgb = [110, 116, 70]", "rgb = [110, 116, 70.5]", "terrain.rgb"),
        ('surface = "grass"', 'surface = "lava"', "terrain.surface"),
        ("latitude_deg = -35.3", "latitude_deg = -inf", "latitude_deg"),
        ("latitude_deg = -35.3", f"latitude_deg = 1{'0' * 400}", "latitude_deg"),
        ("width_m = 1.0", "width_m = 1e300", "pv_module.width_m"),
        ("height_m = [24, 26]", "height_m = [24, 25, 26]", "flight.height_m"),
        ("height_m = [24, 26]", 'height_m = ["24", 26]', "flight.height_m"),
        ("height_m = [24, 26]", "height_m = [1e200, 1e300]", "flight.height_m"),
        # What would take gigabytes, or hours.
        (
            "focal_px = 900\n\n[visible_camera]\nfocal_px = 1260\n\n[flight]\nheight_m = [24, 26]",
            "focal_px = 3900\n\n[visible_camera]\nfocal_px = 5200\n\n[flight]\nheight_m = [10, 11]\n"
            "speed_m_s = 0",
            "flight.height_m",
        ),
        (
            "count = 4\nlength_m = 26\npitch_m = 7.0\ntilt_deg = 20\nmodules_up = 2\n"
            "modules_per_table = 10",
            "count = 400\nlength_m = 26\npitch_m = 7.0\ntilt_deg = 20\nmodules_up = 2\n"
            "modules_per_table = 200",
            "rows.count",
        ),
        (
            "focal_px = 1260",
            "focal_px = 1260\nmotion_blur_px = [0, 1e6]",
            "visible_camera.motion_blur_px",
        ),
        ("[flight]", "[flight]\ntilt_jitter_deg = 8\nheading_deg = 3.0", "flight.heading_deg"),
        (
            "share = 0.08",
            "share = 0.08\nweights = { dust = 1e308, weeds = 1e308 }",
            "defects.weights",
        ),
        (
            "second_heating_k = 15\n\n[infrared_camera]\nfocal_px = 900\n\n[visible_camera]\n"
            "focal_px = 1260",
            "second_heating_k = 15\nslope_deg = 20\n\n[infrared_camera]\nfocal_px = 210\n\n"
            "[visible_camera]\nfocal_px = 301",
            "infrared_camera.focal_px",
        ),
        (
            "[defects]",
            "[weather]\nirradiance_w_m2 = [800, 2000]\n[defects]",
            "weather.irradiance_w_m2",
        ),
        (
            "share = 0.08",
            'share = 0.08\nhabits = [{ defect_class = "dust", near = "moon" }]',
            "defects.habits.0.near",
        ),
    ],
)
def test_a_bad_profile_is_refused_by_file_and_key(
    profile_path: Path, tmp_path: Path, old: str, new: str, key: str
) -> None:
    text = profile_path.read_text()
    assert old in text
    bad = tmp_path / "bad.toml"
    bad.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load_profile(bad)
    assert "bad.toml" in caught.value.where
    assert key in caught.value.where


@pytest.mark.parametrize(
    "content", [b"site_id = ", b"\xff\xfe\x00", b"", b"x = " + b"[" * 20_000, b"# \n" * 100_000]
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "broken.toml"
    bad.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.toml"):
        load_profile(bad)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_profile_as_other_editors_save_it_is_the_same(
    profile_path: Path, tmp_path: Path, encoding: str
) -> None:
    text = profile_path.read_text(encoding="utf-8")
    (tmp_path / "a.toml").write_bytes(text.encode(encoding))
    assert load_profile(tmp_path / "a.toml") == load_profile(profile_path)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.toml"):
        load_profile(tmp_path / "absent.toml")


def test_nine_stations_in_four_cities_with_all_technologies_and_mountings() -> None:
    profiles = bundled_profiles()
    assert len(profiles) == len({p.site_id for p in profiles}) == 9
    assert len({p.city for p in profiles}) == 4
    assert {p.pv_module.technology for p in profiles} == {"mono", "poly", "half_cell", "thin_film"}
    assert {p.mounting for p in profiles} == {"fixed_tilt", "tracker", "rooftop", "floating"}
    assert Counter(p.infrared_camera.radiometric for p in profiles)[False] >= 2


def test_stations_differ_in_class_frequencies() -> None:
    shares = [
        p.defects.weights["weeds"] / sum(p.defects.weights.values()) for p in bundled_profiles()
    ]
    assert max(shares) > 5 * min(shares)


def test_stations_differ_in_shadows_cameras_heights_offsets_and_habits() -> None:
    profiles = bundled_profiles()
    ways = {
        "shadows": lambda p: (p.weather.sun_azimuth_deg, p.rows.azimuth_deg),
        "scale": lambda p: p.visible_camera.focal_px / p.infrared_camera.focal_px,
        "height": lambda p: p.flight.height_m,
        "offsets": lambda p: (p.flight.rig_offset_px, p.flight.rig_rotation_deg),
        "ground": lambda p: (p.terrain.rgb, p.terrain.second_rgb),
        "classes": lambda p: tuple(p.defects.weights.items()),
        "cells": lambda p: p.pv_module.cell_rgb,
        "pitch": lambda p: p.rows.pitch_m,
    }
    for name, way in ways.items():
        assert len({way(p) for p in profiles}) >= 8, name
    assert len({(h.defect_class, h.near) for p in profiles for h in p.defects.habits}) >= 5
    assert any(not p.defects.habits for p in profiles)
