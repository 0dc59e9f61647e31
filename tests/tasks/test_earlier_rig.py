"""What an aligned mission tells the next one with the same cameras, and which mission is asked."""

from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.files import write_json
from tasks.align import MissionInput, align_step, with_earlier_rig
from tasks.earlier_rig import read_earlier_rig
from tasks.workspace import Workspace

SIZES = (512, 640), (1024, 1280)


def write_store(folder: Path, offset_px: tuple[float, float], confidence: float = 0.99) -> Path:
    """Write the summary of an aligned mission of eight pairs, one of them moved by a gust."""
    folder.mkdir()
    pairs = [
        {
            "status": "aligned",
            "confidence": confidence,
            "scale": 1.25,
            "offset_px": [offset_px[0] + n + (80 if n == 7 else 0), offset_px[1]],
        }
        for n in range(8)
    ]
    rig = {"scale": 1.25, "rotation_deg": 0.5, "radial": 0.0}
    write_json(folder / "alignment.json", {"rig": rig, "pairs": pairs})
    return folder


def make_mission(name: str, flown_at: str, cameras: str | None = "XT2 19 mm") -> MissionInput:
    return MissionInput(
        site_id="s",
        mission_id=name,
        pairs=8,
        infrared_alone=0,
        labelled=True,
        pv_module_m=(1.0, 1.7),
        sha256=name,
        flown_at=flown_at,
        cameras=cameras,
        infrared_px=SIZES[0],
        visible_px=SIZES[1],
    )


def test_a_sure_mission_tells_its_rig_and_its_steady_offsets(tmp_path: Path) -> None:
    rig = read_earlier_rig(write_store(tmp_path / "store", (10.0, -4.0)), *SIZES)
    assert rig is not None
    mission = rig.as_mission()
    assert (mission.rig.scale, mission.rig.rotation_deg) == (1.25, 0.5)
    np.testing.assert_allclose(mission.offsets_px, [[10.0 + n, -4.0] for n in range(7)])


def test_an_unsure_or_missing_mission_tells_nothing(tmp_path: Path) -> None:
    assert read_earlier_rig(write_store(tmp_path / "store", (0.0, 0.0), 0.8), *SIZES) is None
    assert read_earlier_rig(tmp_path / "nothing", *SIZES) is None


def test_the_last_mission_with_the_same_cameras_is_asked(tmp_path: Path) -> None:
    first = make_mission("first", "2026-01-01"), write_store(tmp_path / "a", (10.0, 0.0))
    second = make_mission("second", "2026-02-01"), write_store(tmp_path / "b", (20.0, 0.0))
    other = make_mission("other", "2026-03-01", "H20T"), write_store(tmp_path / "c", (50.0, 0.0))
    asked = with_earlier_rig(make_mission("now", "2026-04-01"), [first, second, other])
    assert asked.earlier is not None
    assert min(asked.earlier.offsets_px) == (20.0, 0.0)
    unknown = make_mission("unknown", "2026-04-01", None)
    assert with_earlier_rig(unknown, [(unknown, first[1])]) == unknown


@pytest.mark.parametrize("changed", ["earlier", "nothing"])
def test_the_key_holds_what_the_earlier_mission_told(tmp_path: Path, changed: str) -> None:
    place = Workspace.at(tmp_path)
    alone = make_mission("now", "2026-04-01")
    flown = [(make_mission("first", "2026-01-01"), write_store(tmp_path / "a", (10.0, 0.0)))]
    asked = with_earlier_rig(alone, flown if changed == "earlier" else [])
    keys = [align_step.key({"workspace": place, "mission": m}) for m in (alone, asked)]
    assert (keys[0] != keys[1]) == (changed == "earlier")
