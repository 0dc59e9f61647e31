"""Nothing is lost, taken twice or half written, whatever happens on the way."""

import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from pydantic import ValidationError

import dd_livm_core.missions.pair_intake as intake
import flows.ingestion as flow
from dd_livm_core.errors import InputError
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest, content_of
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import DeclaredUnit, Mission, Site
from tasks.validate import quarantine, run_checkpoint
from tasks.workspace import Workspace
from tests import drone_files as made

MISSION = Mission(mission_id="m1", site_id="s1", irradiance_w_m2=800)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_site(tmp_path / "data", Site(site_id="s1"))
    return tmp_path / "data"


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_bytes_are_copied_and_originals_untouched(tmp_path: Path, data: Path) -> None:
    source = made.mission_folder(tmp_path / "in", 3)
    before = hashes(source)
    report = ingest_mission(source, data, MISSION)
    assert (report.added, report.unchanged) == (3, 0)
    assert len(report.without_temperatures) == 3
    assert hashes(source) == before
    assert set(before.values()) <= set(hashes(report.mission_dir).values())


def test_repeated_ingestion_changes_nothing(tmp_path: Path, data: Path) -> None:
    source = made.mission_folder(tmp_path / "in", 3)
    ingest_mission(source, data, MISSION)
    before = hashes(data)
    report = ingest_mission(source, data, MISSION)
    assert (report.added, report.unchanged) == (0, 3)
    assert hashes(data) == before


def test_only_new_pairs_are_read(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made.mission_folder(tmp_path / "in", 3)
    ingest_mission(source, data, MISSION)
    made.mission_folder(source, 2, first=3)
    read, new = [], {f"DJI_000{n}_{mark}.JPG" for n in (3, 4) for mark in "TV"}
    real = intake.read_bytes
    monkeypatch.setattr(intake, "read_bytes", lambda path: read.append(path.name) or real(path))
    assert ingest_mission(source, data, MISSION).added == 2
    assert sorted(read) == sorted(new)


def test_what_was_decoded_once_is_not_decoded_again(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies lose their times, as after a restore: files are read, but known by their content."""
    source = made.mission_folder(tmp_path / "in", 2)
    ingest_mission(source, data, MISSION)
    for path in data.rglob("*.jpg"):
        os.utime(path)
    monkeypatch.setattr(intake, "facts_from_bytes", None)
    report = ingest_mission(source, data, MISSION)
    assert (report.added, report.unchanged) == (0, 2)


def test_the_declared_unit_decides_anew(tmp_path: Path, data: Path) -> None:
    celsius = np.linspace(20, 60, 96 * 120).reshape(96, 120)
    made.put(tmp_path / "in/a_T.tiff", made.tiff(np.rint((celsius + 273.15) * 100).astype("u2")))
    made.put(tmp_path / "in/a_V.JPG", made.jpeg(made.picture()))
    ingest_mission(tmp_path / "in", data, MISSION)
    undeclared = build_manifest(data)
    assert undeclared["radiometric"].tolist() == [False]
    unit = DeclaredUnit(unit="centikelvin")
    ingest_mission(tmp_path / "in", data, MISSION.model_copy(update={"infrared_unit": unit}))
    declared = build_manifest(data, previous=undeclared)
    assert declared["radiometric"].tolist() == [True]
    assert declared["infrared_median_c"].tolist() == pytest.approx([40.0], abs=0.01)


def test_a_declared_emissivity_decides_anew(tmp_path: Path, data: Path) -> None:
    made.put(tmp_path / "in/a_T.JPG", made.flir_jpeg(np.full((64, 80), 50.0)))
    made.put(tmp_path / "in/a_V.JPG", made.jpeg(made.picture()))
    ingest_mission(tmp_path / "in", data, MISSION)
    as_it_is = build_manifest(data)
    assert as_it_is["infrared_median_c"].tolist() == pytest.approx([50.0], abs=0.1)
    told = MISSION.model_copy(update={"emissivity": 0.8, "reflected_c": -20.0})
    ingest_mission(tmp_path / "in", data, told)
    declared = build_manifest(data, previous=as_it_is)
    assert declared["infrared_median_c"].item() > 60
    assert declared["measurement_parameters"].item() == "emissivity 0.8, reflected_c -20"


def test_what_is_wrong_with_temperatures_is_told(tmp_path: Path, data: Path) -> None:
    values = np.full((64, 80), 40.0, np.float32)
    values[:4] = np.nan
    out = io.BytesIO()
    said = '{"unit": "celsius"}'
    tifffile.imwrite(
        out, values, description=said, metadata=None, extratags=[(42113, "s", 0, "nan", True)]
    )
    made.put(tmp_path / "in/a_T.tiff", out.getvalue())
    made.put(tmp_path / "in/a_V.JPG", made.jpeg(made.picture()))
    report = ingest_mission(tmp_path / "in", data, MISSION)
    ((path, remark),) = report.remarks
    assert (path.name, remark) == ("a_T.tiff", "6.2% of the pixels hold no data")
    assert build_manifest(data)["infrared_remark"].tolist() == [remark]


def test_bad_pairs_are_set_aside_with_their_reason(tmp_path: Path, data: Path) -> None:
    source = made.mission_folder(tmp_path / "in", 4)
    (source / "DJI_0000_T.JPG").write_bytes(b"")
    cut = source / "DJI_0001_T.JPG"
    cut.write_bytes(cut.read_bytes()[:-900])
    (source / "DJI_0002_T.JPG").unlink()
    report = ingest_mission(source, data, MISSION)
    assert report.added == 1
    assert {path.name for path, _ in report.quarantined} == {"DJI_0000_T.JPG", "DJI_0001_T.JPG"}
    assert [path.name for path, _ in report.single] == ["DJI_0002_V.JPG"]
    assert "DJI_0001_T" in (report.mission_dir / "quarantine.json").read_text()


def test_a_full_disk_stops_and_sets_no_pair_aside(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made.mission_folder(tmp_path / "in", 3)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(intake, "_write", full)
    with pytest.raises(InputError, match="Make room"):
        ingest_mission(source, data, MISSION)
    monkeypatch.undo()
    assert ingest_mission(source, data, MISSION).added == 3


def test_a_file_still_being_written_waits(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made.mission_folder(tmp_path / "in", 2)
    growing = source / "DJI_0000_V.JPG"
    real = intake.facts_from_bytes

    def while_writing(*arguments: object, **more: object) -> object:
        facts = real(*arguments, **more)  # type: ignore[arg-type]
        if arguments[1][1] == growing:  # type: ignore[index]
            with growing.open("ab") as stream:
                stream.write(b"more")
        return facts

    monkeypatch.setattr(intake, "facts_from_bytes", while_writing)
    report = ingest_mission(source, data, MISSION)
    assert report.added == 1
    assert "still being written" in report.quarantined[0][1]
    assert not list((report.mission_dir / "infrared").glob("*0000*"))
    monkeypatch.undo()
    assert ingest_mission(source, data, MISSION).added == 1


@pytest.mark.parametrize("name", ["../up", "/etc", "a/b", "..", "", "a\0b", "x" * 65])
def test_ids_that_are_paths_out_of_the_root_are_refused(name: str) -> None:
    for record in ({"mission_id": name, "site_id": "s1"}, {"mission_id": "m1", "site_id": name}):
        with pytest.raises(ValidationError):
            Mission.model_validate(record)


def test_a_second_ingestion_at_once_is_refused(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, workspace = made.mission_folder(tmp_path / "in", 1), Workspace.at(data.parent)
    monkeypatch.setattr(flow, "LOCK_WAIT_S", 0.01)
    with (
        workspace.lock("ingest-s1-m1", wait_s=1, purpose="testing"),
        pytest.raises(InputError, match="another process"),
    ):
        flow.ingest_folder(workspace, source, "s1", mission_id="m1")
    assert flow.ingest_folder(workspace, source, "s1", mission_id="m1").added == 1


def test_an_undeclared_site_is_refused_with_the_command_that_declares_it(tmp_path: Path) -> None:
    source = made.mission_folder(tmp_path / "in", 1)
    with pytest.raises(InputError, match="dd-livm sites add s1"):
        ingest_mission(source, tmp_path / "data", MISSION)


KILLED = """
import sys
from pathlib import Path
from dd_livm_core.missions import ingestion
from dd_livm_core.records import Mission
ingestion.PARALLEL_FROM_B = 0
mission = Mission(mission_id="m1", site_id="s1", irradiance_w_m2=800)
ingestion.ingest_mission(Path(sys.argv[1]), Path(sys.argv[2]), mission, processes=2,
                         progress=lambda done, total, name: print(done, flush=True))
"""


PAIRS = 200


def test_killed_and_repeated_gives_the_same(tmp_path: Path, data: Path) -> None:
    source = made.mission_folder(tmp_path / "in", PAIRS)
    originals = set(hashes(source).values())
    write_site(tmp_path / "whole", Site(site_id="s1"))
    ingest_mission(source, tmp_path / "whole", MISSION)
    for stop_after in (1, 40, 80):
        run = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(source), str(data)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert run.stdout is not None
        while int(run.stdout.readline()) < stop_after:
            pass
        os.kill(run.pid, signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        run.stdout.close()
        assert not list(data.rglob("mission.json"))  # written last: it was still at work
        images = [p for p in data.rglob("*.jpg") if not p.name.startswith(".")]
        assert len(images) < 2 * PAIRS
        assert {hashlib.sha256(p.read_bytes()).hexdigest() for p in images} <= originals
    ingest_mission(source, data, MISSION)
    assert hashes(data) == hashes(tmp_path / "whole")
    pd.testing.assert_frame_equal(
        content_of(build_manifest(data)), content_of(build_manifest(tmp_path / "whole"))
    )


def test_an_unfinished_copy_and_a_replaced_one_are_taken_away(tmp_path: Path, data: Path) -> None:
    source = made.mission_folder(tmp_path / "in", 2)
    mission_dir = ingest_mission(source, data, MISSION).mission_dir
    (mission_dir / "infrared/.DJI_0000.jpg.99.tmp").write_bytes(b"half")
    celsius = np.linspace(20, 60, 96 * 120).reshape(96, 120).astype(np.float32)
    (source / "DJI_0001_T.JPG").unlink()
    made.put(source / "DJI_0001_T.tiff", made.tiff(celsius, "celsius"))
    ingest_mission(source, data, MISSION)
    assert sorted(path.name for path in (mission_dir / "infrared").iterdir()) == [
        "DJI_0000.jpg",
        "DJI_0001.tiff",
    ]
    assert build_manifest(data)["radiometric"].tolist() == [False, True]


@pytest.mark.real_data
def test_the_real_mission_is_taken_whole_and_keeps_the_contract(
    real_data: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    write_site(data, Site(site_id="mo", latitude_deg=37.246, longitude_deg=-93.167))
    report = ingest_mission(
        real_data / "pv_pairs", data, Mission(mission_id="m", site_id="mo", irradiance_w_m2=700)
    )
    assert (report.added, report.quarantined, report.single) == (109, (), ())
    manifest = build_manifest(data)
    assert manifest["gsd_m"].between(0.03, 0.045).all()
    assert manifest["taken_at"].notna().all()
    assert not manifest["radiometric"].any()
    assert quarantine(run_checkpoint(manifest, tmp_path / "docs")) == []
