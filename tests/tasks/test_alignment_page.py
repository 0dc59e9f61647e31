"""The alignment page of a mission: worst pairs first, every pair listed, nothing loaded from elsewhere."""

import re
from pathlib import Path

import numpy as np

from dd_livm_core.aligned.mission import MissionSummary, align_mission
from dd_livm_core.aligned.store import read_aligned_mission
from dd_livm_core.files import write_json
from dd_livm_core.missions.pair_files import PairFiles
from tasks.alignment_page import write_alignment_page


def align_six_pairs(simulated_fleet: Path, folder: Path) -> MissionSummary:
    """Align six pairs of a simulated mission; one has the visible image of another pair."""
    mission = next((simulated_fleet / "gobi_west").iterdir())
    files = sorted((mission / "infrared").iterdir())[:6]
    visible = [mission / "visible" / f"{path.stem}.jpg" for path in files]
    visible[4] = visible[0]
    pairs = [PairFiles(i.stem, i, v) for i, v in zip(files, visible, strict=True)]
    return align_mission(pairs, folder, site_id="gobi_west", mission_id="first")


def test_the_page_lists_every_pair_the_failed_one_first(
    simulated_fleet: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    summary = align_six_pairs(simulated_fleet, store)
    statuses = {a.pair_id: a.status for a in summary.alignments}
    assert list(statuses.values()).count("failed") == 1
    write_json(tmp_path / "alignment.json", summary.as_json())
    page = tmp_path / "alignment.html"
    write_alignment_page(
        page, read_aligned_mission(store), tmp_path / "alignment.json", "gobi_west/first"
    )
    text = page.read_text()
    assert f"Scale {summary.rig.scale:.4f} visible pixels" in text
    listed = re.findall(r"<tr><td>(\S+?)</td><td>(\w+)</td>", text)
    assert dict(listed) == statuses
    assert listed[0][1] == "failed"
    assert text.count("data:image/jpeg;base64,") == 5
    assert not re.search(r"(src|href)=\"(?!data:)", text)


def test_alignment_stores_the_panels_and_the_width_of_a_pv_module(
    simulated_fleet: Path, tmp_path: Path
) -> None:
    align_six_pairs(simulated_fleet, tmp_path / "store")
    stored = read_aligned_mission(tmp_path / "store")
    sides = stored.index["pv_module_width_px"].to_numpy(float)
    assert np.ptp(sides) < 0.1 * sides.mean()
    assert 0.1 < stored.panel_mask.mean() < 0.9
