"""How often a hotspot's measured shape is right: on simulated sites with truth, and on real crops."""

import json
import os
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from dd_livm_core.fleet.cameras.flight import INFRARED_PX
from dd_livm_core.fleet.cameras.sensors import to_grey
from dd_livm_core.fleet.missions.truth_files import read_truth_arrays
from dd_livm_core.fleet.missions.writing import write_fleet
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.hotspots.segmentation import Hotspot, find_hotspots
from dd_livm_core.labels.boxes import iou, xyxy_of_xywh
from dd_livm_core.panels.excess import excess_temperature
from dd_livm_core.panels.pv_module_px import PvModulePx

NOISE_K, PLAIN_QUALITY = 0.08, 92
FALSE_BELOW_IOU = 0.1
CAUSES = ("open circuit", "substring bypassed", "resistive connection")
"""They imply a block, a stripe (two of three substrings a block) and a point, and know nothing of our geometry."""
VIEWS = ((0.7, 0.0), (1.3, 0.0), (1.0, 20.0), (1.0, 45.0), (0.8, 75.0), (1.2, 130.0), (1.0, 90.0))
"""Scale and rotation in degrees; the frames take them in turn."""
NOT_LOCATED = "not located"
ABOVE_NOISE_K = 2.5
"""Mean excess from which a hotspot is above the noise: 1 K over the labels' threshold of 1.5 K, which is two to three
standard deviations of what healthy PV modules differ by (0.35 to 0.5 K)."""
FLEET_CROP_PX, FLEET_MODULE_PX = 32, 16.0
IMPLIED_SHAPES = {
    "Diode": {"stripe"},
    "Cell": {"block", "point"},
    "Offline-Module": {"block"},
    "Soiling": {"patch"},
    "Vegetation": {"patch"},
}
"""What the descriptions of the real classes imply."""


@dataclass
class ShapeScore:
    """Rows of true hotspots (located is IoU ≥ 0.5 with the true box), and counts over frames that have one.

    ``without_shape`` counts the true hotspots that show too little of what is heated to have a shape; they have no row.
    """

    rows: list = field(default_factory=list)
    without_shape: int = 0
    false: int = 0
    frames: int = 0
    invariant: int = 0
    turned: int = 0

    def table(self) -> pd.DataFrame:
        """One row per true hotspot: site, cause, whether no border cuts it, mean excess in kelvin, both shapes."""
        columns = ["site", "cause", "whole", "mean_excess_k", "true", "found"]
        return pd.DataFrame(self.rows, columns=columns)

    def by_cause(self, least_k: float) -> dict[str, dict[str, int]]:
        """Count found shapes by what heats, for causes that imply one, of hotspots that no border cuts."""
        table = self.table()
        table = table[(table.mean_excess_k >= least_k) & table.whole]
        return {cause: dict(Counter(table.found[table.cause == cause])) for cause in CAUSES}

    def shares(self, least_k: float) -> dict[str, float]:
        """Return shares in percent of the true hotspots that are warmer than ``least_k`` on average."""
        seen = self.table()[lambda table: table.mean_excess_k >= least_k]
        located, right = seen.found != NOT_LOCATED, seen.found == seen.true
        return {
            "true": len(seen),
            "located": round(100 * float(located.mean()), 1),
            "right": round(100 * float(right.mean()), 1),
            "right_of_located": round(100 * float(right.sum()) / max(int(located.sum()), 1), 1),
        }


@dataclass(frozen=True)
class TrueFrame:
    """One infrared frame with hotspots, and its truth; ``module_px`` is the short and the long side."""

    site_id: str
    mission_id: str
    pair_id: str
    hotspots: pd.DataFrame
    module_px: tuple[float, float]
    panel_mask: np.ndarray
    celsius: np.ndarray


def true_frames(truth_root: Path, most: int | None = None) -> Iterator[TrueFrame]:
    """Read the frames with hotspots of all missions, or so many of each."""
    for mission in sorted(truth_root.glob("*/*")):
        hotspots = pd.read_parquet(mission / "hotspots.parquet")
        shape = hotspots.hotspot_shape.astype(object)
        hotspots["hotspot_shape"] = shape.where(shape.notna(), None)
        if hotspots.empty:
            continue
        geometry = pd.read_parquet(mission / "truth.parquet").set_index("pair_id")
        for pair_id, true in islice(hotspots.groupby("pair_id"), most):
            short, long = sorted(geometry.loc[pair_id, ["module_along_px", "module_across_px"]])
            mask, _, celsius = read_truth_arrays(mission / f"{pair_id}.npz")
            yield TrueFrame(
                mission.parent.name, mission.name, str(pair_id), true,
                (float(short), float(long)), mask, celsius,
            )  # fmt: skip


def fleet_crops(truth_root: Path, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut every hotspot out of its frame's excess, with noise, a PV module being 16 px wide.

    Returns
    -------
    Crops (n, 32, 32) float32 in kelvin, defect classes (n,) str, sites (n,) str.
    """
    rng = np.random.default_rng(seed)
    crops, classes, sites = [], [], []
    for frame in true_frames(truth_root):
        noisy = frame.celsius + rng.normal(0, NOISE_K, frame.celsius.shape).astype(np.float32)
        excess = excess_temperature(noisy, frame.panel_mask, True)
        scale = frame.module_px[0] / FLEET_MODULE_PX
        for row in frame.hotspots.itertuples():
            centre = (row.x_px + row.width_px / 2, row.y_px + row.height_px / 2)
            size = (max(2, round(FLEET_CROP_PX * scale)),) * 2
            cut = cv2.getRectSubPix(excess, size, centre)
            crops.append(cv2.resize(cut, (FLEET_CROP_PX,) * 2, interpolation=cv2.INTER_AREA))
            classes.append(row.defect_class)
            sites.append(frame.site_id)
    return np.stack(crops), np.array(classes), np.array(sites)


def fleet_truth(folder: Path, seed: int) -> Path:
    """Write all bundled sites, a few pairs each, and return their truth."""
    write_fleet(
        folder / "data",
        profiles=bundled_profiles(),
        size="tiny",
        seed=seed,
        truth_root=folder / "truth",
        processes=os.cpu_count() or 1,
    )
    return folder / "truth"


def fleet_shapes(truth_root: Path, seed: int) -> dict[str, ShapeScore]:
    """Score shapes as segmented, without noise, and in the grey picture of a camera without radiometry."""
    rng = np.random.default_rng(seed)
    scores = {name: ShapeScore() for name in ("segmented", "noise_free", "plain")}
    for frame in true_frames(truth_root):
        mask, celsius, sides = frame.panel_mask, frame.celsius, frame.module_px
        noisy = celsius + rng.normal(0, NOISE_K, celsius.shape).astype(np.float32)
        views = {"segmented": noisy, "noise_free": celsius, "plain": as_plain(noisy)}
        for name, image in views.items():
            kelvin = name != "plain"
            seen = excess_temperature(image, mask, kelvin)
            found = find_hotspots(seen, mask, PvModulePx(*sides), radiometric=kelvin)
            _count(scores[name], frame.site_id, frame.hotspots, found)
            if name == "segmented":
                view = VIEWS[scores[name].frames % len(VIEWS)]
                _resample(scores[name], found, seen, mask, sides, view)
    return scores


def as_plain(celsius: np.ndarray) -> np.ndarray:
    """Return what a camera without radiometry writes: gain control, sharpening, eight bits, JPEG."""
    _, file = cv2.imencode(".jpg", to_grey(celsius), [cv2.IMWRITE_JPEG_QUALITY, PLAIN_QUALITY])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.float32)


def _count(score: ShapeScore, site: str, true: pd.DataFrame, found: list[Hotspot]) -> None:
    width, height = INFRARED_PX
    boxes = true[["x_px", "y_px", "width_px", "height_px"]].to_numpy(float)
    overlap = iou(xyxy_of_xywh(boxes), xyxy_of_xywh([h.box_xywh_px for h in found]))
    for box, row, of_box in zip(boxes, true.itertuples(), overlap, strict=True):
        if row.hotspot_shape is None:
            score.without_shape += 1
            continue
        located = of_box.max(initial=0) >= 0.5
        shape = found[int(of_box.argmax())].shape if located else NOT_LOCATED
        whole = min(box[:2]) > 0 and box[0] + box[2] < width and box[1] + box[3] < height
        score.rows.append((site, row.source, whole, row.mean_excess_k, row.hotspot_shape, shape))
    score.frames += 1
    score.false += int((overlap.max(axis=0, initial=0) < FALSE_BELOW_IOU).sum())


def _resample(
    score: ShapeScore,
    found: list[Hotspot],
    excess: np.ndarray,
    mask: np.ndarray,
    sides: tuple[float, float],
    view: tuple[float, float],
) -> None:
    """Scale and turn the image itself, segment again: the same hotspot should have the same name."""
    scale, angle_deg = view
    height, width = excess.shape
    side = int(np.ceil(scale * np.hypot(height, width)))
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, scale)
    turn[:, 2] += ((side - width) / 2, (side - height) / 2)
    seen = cv2.warpAffine(excess, turn, (side, side), flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(mask.astype(np.float32), turn, (side, side)) >= 0.5
    again = find_hotspots(
        np.where(inside, seen, 0), inside, PvModulePx(sides[0] * scale, sides[1] * scale)
    )
    label = np.zeros((side, side), np.int32)
    for number, hotspot in enumerate(again, 1):
        x, y, w, h = (int(value) for value in hotspot.box_xywh_px)
        label[y : y + h, x : x + w][hotspot.mask] = number
    for hotspot in found:
        if (hotspot.mean_excess_k or 0) < ABOVE_NOISE_K:
            continue
        x, y, w, h = (int(value) for value in hotspot.box_xywh_px)
        if x == 0 or y == 0 or x + w == width or y + h == height:
            continue  # cut by the border
        there = np.zeros(mask.shape, np.float32)
        there[y : y + h, x : x + w] = hotspot.mask
        own = cv2.warpAffine(there, turn, (side, side)) >= 0.5
        hits = label[own]
        score.turned += 1
        if (hits > 0).any():
            same = again[int(np.bincount(hits[hits > 0]).argmax()) - 1]
            score.invariant += same.shape == hotspot.shape


def real_crops(folder: Path) -> dict[str, list[np.ndarray]]:
    """Read the crops of InfraredSolarModules by class: uint8 arrays of 40 by 24."""
    catalogue = json.loads((folder / "module_metadata.json").read_text(encoding="utf-8"))
    crops: dict[str, list[np.ndarray]] = defaultdict(list)
    with zipfile.ZipFile(folder / "images.zip") as archive:
        for key in sorted(catalogue, key=int):
            data = np.frombuffer(archive.read(catalogue[key]["image_filepath"]), np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
            if image is not None and image.shape == (40, 24):
                crops[catalogue[key]["anomaly_class"]].append(image)
    return dict(crops)


def crop_shapes(crops: dict[str, list[np.ndarray]], most: int) -> dict[str, dict[str, object]]:
    """Tabulate the shape of each crop's largest hotspot; a crop is one PV module without neighbours."""
    everywhere = np.ones((40, 24), bool)
    table: dict[str, dict[str, object]] = {}
    for name, images in sorted(crops.items()):
        counts: Counter = Counter()
        for image in images[:most]:
            excess = excess_temperature(image.astype(np.float32), everywhere, False)
            found = find_hotspots(excess, everywhere, PvModulePx(24, 40), radiometric=False)
            largest = max(found, key=lambda hotspot: hotspot.area_px, default=None)
            counts[largest.shape if largest else "none"] += 1
        row: dict[str, object] = {"crops": sum(counts.values()), **counts}
        if name in IMPLIED_SHAPES:
            agree = sum(counts[shape] for shape in IMPLIED_SHAPES[name])
            seen = sum(counts.values()) - counts["none"]
            row["implied"] = " or ".join(sorted(IMPLIED_SHAPES[name]))
            row["agreement_pct"] = round(100 * agree / max(sum(counts.values()), 1), 1)
            row["agreement_of_seen_pct"] = round(100 * agree / max(seen, 1), 1)
        table[name] = row
    return table
