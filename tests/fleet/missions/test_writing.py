"""A fleet on disk: the folder format, the files' own words, and the same bytes for a seed."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.errors import InputError
from dd_livm_core.fleet.missions.truth_files import read_truth_arrays
from dd_livm_core.fleet.missions.writing import FLEET_SIZES, FULL_PAIRS, plan_missions, write_fleet
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import load_profile
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES, Mission, Site
from tests.fleet.promises import find_broken_promises
from tests.fleet.random_profiles import draw_random_tables, write_profile

GPS_IFD, EXIF_IFD = 0x8825, 0x8769


@pytest.fixture(scope="module")
def few(monkeypatch_module: pytest.MonkeyPatch) -> None:
    monkeypatch_module.setitem(FLEET_SIZES, "tiny", 3)


@pytest.fixture(scope="module")
def monkeypatch_module():  # type: ignore[no-untyped-def]
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def written(few: None, profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fleet")
    calls: list[tuple[int, int, str]] = []
    folders = write_fleet(
        root / "data",
        profiles=[profile],
        seed=3,
        truth_root=root / "truth",
        progress=lambda *now: calls.append(now),
    )
    assert folders == [root / "data/test_plain/flight01"]
    assert calls == [(3, 3, "test_plain/flight01")]
    return root


def digests(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def test_the_folder_holds_what_ingestion_reads(written: Path) -> None:
    data = written / "data"
    names = set(digests(data))
    pairs = [f"DJI_{i:04d}" for i in (1, 2, 3)]
    flight = "test_plain/flight01"
    assert names == {
        "sites.json",
        f"{flight}/labels.json",
        f"{flight}/mission.json",
        *(f"{flight}/infrared/{p}.tif" for p in pairs),
        *(f"{flight}/visible/{p}.jpg" for p in pairs),
    }
    mission = Mission.model_validate_json((data / flight / "mission.json").read_text())
    assert mission.simulated
    assert mission.site_id == "test_plain"
    (site,) = json.loads((data / "sites.json").read_text())["sites"]
    assert Site.model_validate(site).simulated


def test_labels_are_coco_over_the_infrared_frame(written: Path) -> None:
    labels = json.loads((written / "data/test_plain/flight01/labels.json").read_text())
    assert [c["name"] for c in labels["categories"]] == list(DEFECT_CLASSES)
    images = {i["id"]: i for i in labels["images"]}
    assert len(images) == 3
    assert labels["annotations"]
    for annotation in labels["annotations"]:
        x, y, w, h = annotation["bbox"]
        image = images[annotation["image_id"]]
        assert x >= 0
        assert y >= 0
        assert x + w <= image["width"]
        assert y + h <= image["height"]
        assert annotation.get("hotspot_shape", "point") in HOTSPOT_SHAPES
        assert 1 <= annotation["category_id"] <= 5
        assert 0 < annotation["area"] <= w * h
    named = ["hotspot_shape" in annotation for annotation in labels["annotations"]]
    assert np.mean(named) > 0.5


def test_files_say_where_and_when_they_were_taken(written: Path) -> None:
    flight = written / "data/test_plain/flight01"
    for name, size in (
        ("infrared/DJI_0002.tif", (640, 512)),
        ("visible/DJI_0002.jpg", (1280, 1024)),
    ):
        with Image.open(flight / name) as image:
            assert image.size == size
            exif = image.getexif()
            gps, detail = exif.get_ifd(GPS_IFD), exif.get_ifd(EXIF_IFD)
            degrees = [float(v) for v in gps[2]]
            assert gps[1] == "S"
            assert degrees[0] + degrees[1] / 60 + degrees[2] / 3600 == pytest.approx(35.3, abs=0.01)
            assert detail[36867].startswith("2025:")
            assert detail[37386] > 1
        raw = (flight / name).read_bytes()
        assert b'drone-dji:GimbalPitchDegree="-' in raw
        assert b'drone-dji:RelativeAltitude="+2' in raw


def test_the_reader_of_missions_reads_it(written: Path) -> None:
    flight = written / "data/test_plain/flight01"
    report = pair_folder(flight)
    assert [p.pair_id for p in report.pairs] == ["DJI_0001", "DJI_0002", "DJI_0003"]
    assert not report.single
    for found in report.pairs:
        thermogram, visible = read_infrared(found.infrared), read_visible(found.visible)
        assert thermogram.radiometric
        _, _, truth = read_truth_arrays(written / f"truth/test_plain/flight01/{found.pair_id}.npz")
        assert np.median(thermogram.values - truth) == pytest.approx(0, abs=1.5)
        assert visible.shape == (1024, 1280, 3)
        for path in (found.infrared, found.visible):
            metadata = read_metadata(path)
            assert metadata.latitude_deg == pytest.approx(-35.3, abs=0.01)
            assert metadata.longitude_deg == pytest.approx(-71.5, abs=0.01)
            assert 23 < (metadata.relative_altitude_m or 0) < 27
            assert metadata.gimbal_pitch_deg == pytest.approx(-90, abs=5)
            assert (metadata.focal_length_mm or 0) > 4
            assert metadata.taken_at is not None
    labels = read_labels(flight / "labels.json")
    assert sum(len(found) for found in labels.values()) > 0


def test_infrared_is_centikelvin_and_close_to_the_noise_free_truth(written: Path) -> None:
    with Image.open(written / "data/test_plain/flight01/infrared/DJI_0001.tif") as image:
        assert json.loads(image.tag_v2[270]) == {"unit": "centikelvin"}
        stored = np.asarray(image)
    assert stored.dtype == np.uint16
    mask, excess, truth = read_truth_arrays(written / "truth/test_plain/flight01/DJI_0001.npz")
    difference = stored / 100 - 273.15 - truth
    assert np.abs(difference - np.median(difference)).mean() < 0.4
    assert mask.shape == excess.shape == truth.shape == (512, 640)
    assert 10 < np.median(truth[mask]) < 80


def test_truth_names_each_hotspot_and_its_source(written: Path) -> None:
    flight = written / "truth/test_plain/flight01"
    geometry = pd.read_parquet(flight / "truth.parquet")
    assert list(geometry["pair_id"]) == ["DJI_0001", "DJI_0002", "DJI_0003"]
    assert geometry["scale"].std() < 0.002
    assert np.allclose(geometry["scale"], 1.4, atol=0.01)
    hotspots = pd.read_parquet(flight / "hotspots.parquet")
    labels = json.loads((written / "data/test_plain/flight01/labels.json").read_text())
    assert len(hotspots) == len(labels["annotations"])
    assert hotspots["source"].str.len().gt(3).all()


def test_the_same_seed_gives_the_same_bytes_in_one_and_in_two_processes(
    written: Path, few: None, profile: Profile, tmp_path: Path
) -> None:
    write_fleet(tmp_path / "data", profiles=[profile], seed=3, processes=2)
    assert digests(tmp_path / "data") == digests(written / "data")


def test_another_seed_gives_another_fleet(
    written: Path, few: None, profile: Profile, tmp_path: Path
) -> None:
    write_fleet(tmp_path / "data", profiles=[profile], seed=4)
    first, second = digests(tmp_path / "data"), digests(written / "data")
    assert (
        first["test_plain/flight01/visible/DJI_0001.jpg"]
        != second["test_plain/flight01/visible/DJI_0001.jpg"]
    )


def test_stations_declared_before_are_kept(few: None, profile: Profile, tmp_path: Path) -> None:
    known = Site(site_id="real_one").model_dump(mode="json")  # type: ignore[call-arg]
    (tmp_path / "sites.json").write_text(json.dumps({"sites": [known]}))
    write_fleet(tmp_path, profiles=[profile], seed=3)
    sites = json.loads((tmp_path / "sites.json").read_text())["sites"]
    assert [s["site_id"] for s in sites] == ["real_one", "test_plain"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_real_station_is_never_written_over(
    profile: Profile, tmp_path: Path, declared: bool
) -> None:
    name = profile.site_id
    write_site(tmp_path, Site(site_id=name, simulated=not declared))  # type: ignore[call-arg]
    record = tmp_path / name / "flight01" / "mission.json"
    record.parent.mkdir(parents=True)
    record.write_text(Mission(site_id=name, mission_id="flight01").model_dump_json())  # type: ignore[call-arg]
    before = digests(tmp_path)
    with pytest.raises(InputError, match="a real one"):
        write_fleet(tmp_path, profiles=[profile])
    assert digests(tmp_path) == before


def test_truth_inside_the_data_is_refused(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="truth outside the data"):
        write_fleet(tmp_path, profiles=[profile], truth_root=tmp_path / "truth")
    assert not any(tmp_path.iterdir())


def test_unknown_sizes_and_twin_sites_are_refused(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tiny, small, full"):
        write_fleet(tmp_path, profiles=[profile], size="huge")
    with pytest.raises(InputError, match="one profile per site"):
        write_fleet(tmp_path, profiles=[profile, profile])


def test_what_would_fail_after_rendering_is_refused_before(
    profile: Profile, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="a seed from 0"):
        write_fleet(tmp_path, profiles=[profile], seed=-1)
    with pytest.raises(InputError, match="none"):
        write_fleet(tmp_path, profiles=[])
    (tmp_path / "sites.json").write_text('{"sites": 3}')
    with pytest.raises(InputError, match=r"sites\.json"):
        write_fleet(tmp_path, profiles=[profile])
    assert not (tmp_path / profile.site_id).exists()


def test_the_full_fleet_has_as_many_pairs_as_the_article() -> None:
    from dd_livm_core.fleet.profile_files import bundled_profiles

    assert sum(pairs for _, _, pairs in plan_missions(bundled_profiles(), "full")) == FULL_PAIRS


@pytest.mark.parametrize("seed", [3, 10, 11, 14])
def test_a_station_that_nobody_wrote_holds_the_promises(seed: int, tmp_path: Path) -> None:
    """A random profile, from its file to images, labels and truth read back."""
    tables = draw_random_tables(np.random.default_rng(seed))
    profile = load_profile(write_profile(tmp_path / "unseen.toml", tables))
    assert find_broken_promises(profile, tmp_path, seed) == []
