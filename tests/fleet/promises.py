"""What every simulated mission must keep, whatever its profile: held against its files."""

from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd

from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.fleet.missions.truth import THRESHOLD_K
from dd_livm_core.fleet.missions.truth_files import read_correspondences, read_truth_arrays
from dd_livm_core.fleet.missions.writing import FLEET_SIZES, write_fleet
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.records import Mission

PAIRS = 2


def broken_promises(profile: Profile, root: Path, seed: int) -> list[str]:
    """Render two pairs to files, read them back, and name each promise that does not hold."""
    with patch.dict(FLEET_SIZES, tiny=PAIRS):
        (folder,) = write_fleet(
            root / "data", profiles=[profile], seed=seed, truth_root=root / "truth"
        )
    truth = root / "truth" / folder.relative_to(root / "data")
    Mission.model_validate_json((folder / "mission.json").read_text())
    broken = []
    pairs, labels = pair_folder(folder).pairs, read_labels(folder / "labels.json")
    if len(pairs) != PAIRS:
        broken.append("pairs found by ingestion")
    geometry = pd.read_parquet(truth / "truth.parquet").set_index("pair_id")
    hotspots = pd.read_parquet(truth / "hotspots.parquet")
    if len(hotspots) != sum(len(found) for found in labels.values()):
        broken.append("as many labels as hotspots")
    for pair in pairs:
        thermogram, visible = read_infrared(pair.infrared), read_visible(pair.visible)
        metadata = read_metadata(pair.infrared)
        if thermogram.radiometric != profile.infrared_camera.radiometric or visible.shape[2] != 3:
            broken.append("file format")
        if metadata.latitude_deg is None or abs(metadata.latitude_deg - profile.latitude_deg) > 0.1:
            broken.append("position in the file")
        mask, excess, temperature = read_truth_arrays(truth / f"{pair.pair_id}.npz")
        if not np.isfinite(temperature).all() or np.ptp(temperature) > 200:
            broken.append("finite temperature")
        here = hotspots[hotspots["pair_id"] == pair.pair_id] if len(hotspots) else hotspots
        broken += _broken_boxes(here, excess)
        seen, target = read_correspondences(truth, pair.pair_id)
        if mask.mean() > 0.001 and len(seen) < 50:
            broken.append("50 corresponding points")
        if float(geometry.loc[pair.pair_id, "scale"]) <= 0 or not np.isfinite(target).all():
            broken.append("geometry")
    return broken


def _broken_boxes(hotspots: pd.DataFrame, excess: np.ndarray) -> list[str]:
    """Hold the labels against the stored noise-free excess temperature."""
    broken = []
    hot = excess >= THRESHOLD_K
    covered = np.zeros(excess.shape, bool)
    for row in hotspots.itertuples():
        x, y, w, h = int(row.x_px), int(row.y_px), int(row.width_px), int(row.height_px)
        if x < 0 or y < 0 or x + w > 640 or y + h > 512 or not 0 < row.area_px <= w * h:
            broken.append("box inside the frame")
        part = hot[y : y + h, x : x + w]
        if not (part[0].any() and part[-1].any() and part[:, 0].any() and part[:, -1].any()):
            broken.append("box tight around what exceeds the threshold")
        covered[y : y + h, x : x + w] = True
    count, label, stats, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    missed = [k for k in range(1, count) if not covered[label == k].any()]
    large = [k for k in missed if stats[k, cv2.CC_STAT_AREA] > 60]
    inside = [k for k in large if stats[k, 0] > 0 and stats[k, 0] + stats[k, 2] < 640]
    inside = [k for k in inside if stats[k, 1] > 0 and stats[k, 1] + stats[k, 3] < 512]
    if inside:
        broken.append("a label at each hot area")
    return broken
