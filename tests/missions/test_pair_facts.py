"""Facts of a pair tell what was left out, and refuse a file that is of the other kind by its own word."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest
from dd_livm_core.missions.pair_facts import PairFacts, facts_from_bytes
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from tests import drone_files as made


def facts_of(infrared: bytes, visible: bytes) -> PairFacts:
    hashes = (hashlib.sha256(infrared).hexdigest(), hashlib.sha256(visible).hexdigest())
    return facts_from_bytes((infrared, Path("a_T")), (visible, Path("a_V")), hashes=hashes)


def photo(seed: int, **xmp: str) -> bytes:
    return made.jpeg(made.picture(seed), xmp=made.dji_xmp(**xmp))


def test_what_was_left_out_of_either_file_is_told() -> None:
    facts = facts_of(photo(0, RelativeAltitude="high"), photo(1, GpsLatitude="north"))
    assert facts.metadata_dropped is not None
    first, second = facts.metadata_dropped.split("; ")
    assert first.startswith("infrared: XMP RelativeAltitude 'high'")
    assert second.startswith("visible: XMP GpsLatitude 'north'")
    assert facts_of(photo(0), photo(1)).metadata_dropped is None


@pytest.mark.parametrize(
    ("infrared", "visible", "where"),
    [("InfraredCamera", "InfraredCamera", "a_V"), ("WideCamera", "WideCamera", "a_T")],
)
def test_an_image_of_the_other_kind_is_refused(infrared: str, visible: str, where: str) -> None:
    with pytest.raises(InputError, match="ImageSource") as refused:
        facts_of(photo(0, ImageSource=infrared), photo(1, ImageSource=visible))
    assert refused.value.where == where
    facts_of(photo(0, ImageSource="InfraredCamera"), photo(1, ImageSource="ZoomCamera"))


def test_a_radiometric_image_is_no_visible_one() -> None:
    warm = made.flir_jpeg(np.full((64, 80), 30.0))
    with pytest.raises(InputError, match="radiometric") as refused:
        facts_of(photo(0), warm)
    assert refused.value.where == "a_V"
    assert facts_of(warm, photo(1)).radiometric


def test_an_ingestion_takes_the_pair_and_tells_the_broken_tag(tmp_path: Path) -> None:
    source, data = tmp_path / "flight", tmp_path / "data"
    made.put(source / "DJI_1_T.JPG", photo(0, RelativeAltitude="+40", GimbalPitchDegree="-9x"))
    made.put(source / "DJI_1_V.JPG", photo(1))
    write_site(data, Site(site_id="s1"))
    report = ingest_mission(source, data, Mission(mission_id="m1", site_id="s1"))
    ((path, text),) = report.metadata_dropped
    assert (report.added, path.name) == (1, "DJI_1_T.JPG")
    assert "GimbalPitchDegree" in text
    (row,) = build_manifest(data).to_dict("records")
    assert (row["relative_altitude_m"], row["metadata_dropped"]) == (40.0, text)
