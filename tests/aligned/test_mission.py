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
from tests import drone_files as made

RIG = RigGeometry(1.23456789, -0.5, 0.01)


def make_alignment(pair_id: str, status: Status) -> Alignment:
    rig = (RIG.scale, RIG.rotation_deg)
    return Alignment(pair_id, np.eye(3), status, "", 0.98765, *rig, (1.5, -2.25), RIG.radial)


def make_summary() -> MissionSummary:
    pairs = (make_alignment("a", "aligned"), make_alignment("b", "failed"))
    placed = (*pairs, make_alignment("c", "aligned"))
    return MissionSummary(placed, (("d", "cut off"),), RIG, (("e", "none"),))


def test_every_pair_of_a_mission_is_counted_once() -> None:
    counts = {"aligned": 2, "failed": 1, "infrared_only": 1}
    assert make_summary().counts() == {**counts, "unreadable": 1}
    assert replace(make_summary(), unreadable=()).counts() == counts


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
    assert content["infrared_only"] == [{"pair_id": "e", "reason": "none"}]


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
    assert stored["pair_id"].tolist() == [a.pair_id for a in summary.alignments]
    assert pairs[2].pair_id not in stored["pair_id"].tolist()


def test_infrared_halves_are_kept_where_no_visible_image_is_or_registration_fails(
    simulated_mission: Path, tmp_path: Path
) -> None:
    """A blank visible image fails; the pairs beside it are placed as if those without one were not there."""
    pairs = image_pairs(simulated_mission)
    blank = pairs[0].visible
    assert blank is not None
    blank.write_bytes(made.jpeg(np.full((512, 640, 3), 90, np.uint8)))
    broken = made.put(tmp_path / "broken.jpg", b"no image")
    alone = [replace(pairs[1], visible=None), replace(pairs[3], visible=broken)]
    mixed = [pairs[0], alone[0], pairs[2], alone[1], pairs[4]]
    summary = align_mission(mixed, tmp_path / "mixed", site_id="s", mission_id="m")
    assert [pair_id for pair_id, _ in summary.infrared_only] == [p.pair_id for p in alone]
    assert "broken.jpg: expected an image file" in summary.infrared_only[1][1]
    assert summary.describe_unreadable().startswith(f"{alone[1].pair_id}: ")
    stored = read_aligned_mission(tmp_path / "mixed")
    assert stored.index["pair_id"].tolist() == [pair.pair_id for pair in pairs]
    assert stored.index["status"].tolist()[:2] == ["failed", "infrared_only"]
    assert "blank" in stored.index["reason"][0]
    assert [stored.visible(row) is None for row in range(5)] == [True, True, False, True, False]
    complete = align_mission(
        [pairs[0], pairs[2], pairs[4]], tmp_path / "complete", site_id="s", mission_id="m"
    )
    assert complete.as_json()["pairs"] == summary.as_json()["pairs"]
    both = read_aligned_mission(tmp_path / "complete")
    np.testing.assert_array_equal(both.visible_images, stored.visible_images)
    np.testing.assert_array_equal(both.infrared_excess, stored.infrared_excess[[0, 2, 4]])


def test_a_mission_of_infrared_images_alone_has_no_rig_and_refuses_a_photograph(
    simulated_mission: Path, tmp_path: Path
) -> None:
    pairs = [replace(pair, visible=None) for pair in image_pairs(simulated_mission)]
    pairs[1].infrared.write_bytes(made.jpeg(made.picture(1, (640, 512))))
    summary = align_mission(pairs, tmp_path / "store", site_id="s", mission_id="m")
    assert (summary.rig, summary.as_json()["rig"]) == (None, None)
    assert summary.counts() == {"infrared_only": 4, "unreadable": 1}
    assert "the colours of a photograph" in summary.unreadable[0][1]
    stored = read_aligned_mission(tmp_path / "store")
    assert stored.infrared_excess.any()
    assert all(stored.visible(row) is None for row in range(4))


def test_a_mission_without_any_readable_pair_is_refused(
    simulated_mission: Path, tmp_path: Path
) -> None:
    pairs = image_pairs(simulated_mission)[:2]
    for pair in pairs:
        pair.infrared.write_bytes(b"no image")
    with pytest.raises(InputError, match="readable infrared image"):
        align_mission(pairs, tmp_path / "store", site_id="s", mission_id="m")
