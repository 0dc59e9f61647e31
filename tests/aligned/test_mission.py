"""From a mission's files to its store, and what its summary says of every pair."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.aligned.mission import MissionSummary, align_mission
from dd_livm_core.aligned.store import read_aligned_mission
from dd_livm_core.errors import InputError
from dd_livm_core.missions.folder import image_pairs
from dd_livm_core.registration.placement import Alignment, Status
from dd_livm_core.registration.rig import RigGeometry

RIG = RigGeometry(1.23456789, -0.5, 0.01)


def make_alignment(pair_id: str, status: Status) -> Alignment:
    rig = (RIG.scale, RIG.rotation_deg)
    return Alignment(pair_id, np.eye(3), status, "", 0.98765, *rig, (1.5, -2.25), RIG.radial)


def make_summary() -> MissionSummary:
    pairs = (make_alignment("a", "aligned"), make_alignment("b", "failed"))
    return MissionSummary((*pairs, make_alignment("c", "aligned")), (("d", "cut off"),), RIG)


def test_every_pair_of_a_mission_is_counted_once() -> None:
    assert make_summary().counts() == {"aligned": 2, "failed": 1, "unreadable": 1}
    assert replace(make_summary(), unreadable=()).counts() == {"aligned": 2, "failed": 1}


def test_the_summary_survives_json() -> None:
    content = json.loads(json.dumps(make_summary().as_json()))
    assert content["counts"] == make_summary().counts()
    assert content["rig"] == {"scale": 1.234568, "rotation_deg": -0.5, "radial": 0.01}
    assert [pair["pair_id"] for pair in content["pairs"]] == ["a", "b", "c"]
    assert content["pairs"][0] == {
        "pair_id": "a",
        "status": "aligned",
        "reason": "",
        "confidence": 0.9877,
        **content["rig"],
        "offset_px": [1.5, -2.25],
    }
    assert content["unreadable"] == [{"pair_id": "d", "reason": "cut off"}]


def test_a_broken_pair_is_in_the_summary_and_not_in_the_store(
    simulated_mission: Path, tmp_path: Path
) -> None:
    pairs = image_pairs(simulated_mission)
    pairs[2].infrared.write_bytes(pairs[2].infrared.read_bytes()[:100])
    summary = align_mission(pairs, tmp_path / "store", site_id="s", mission_id="m")
    assert [pair_id for pair_id, _ in summary.unreadable] == [pairs[2].pair_id]
    assert len(summary.alignments) == len(pairs) - 1
    assert {a.scale for a in summary.alignments} == {summary.rig.scale}
    stored = read_aligned_mission(tmp_path / "store").index
    placed = [a.pair_id for a in summary.alignments if a.status != "failed"]
    assert stored["pair_id"].tolist() == placed
    assert pairs[2].pair_id not in placed


def test_a_mission_without_any_readable_pair_is_refused(
    simulated_mission: Path, tmp_path: Path
) -> None:
    pairs = image_pairs(simulated_mission)[:2]
    for pair in pairs:
        pair.visible.write_bytes(b"no image")
    with pytest.raises(InputError, match="readable pair"):
        align_mission(pairs, tmp_path / "store", site_id="s", mission_id="m")
