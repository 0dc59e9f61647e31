"""How much of a defect's class the background and the position give away, and through what.

``python -m benchmarks.fleet_leak`` writes ``benchmarks/results/fleet_leak.json``.

The control sees the same stations rendered again without their defects: backgrounds, neighbours,
poses and noise are the same, and nothing of the defect is left, not even the size of a hole.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from benchmarks.results_file import write_result
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.truth import TrueHotspot
from dd_livm_core.fleet.missions.writing import plan_missions
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.records import DEFECT_CLASSES

SEED = 20
CONTEXT_PX = 160
SHUFFLES = 10
Predict = Callable[[np.ndarray, np.ndarray, pd.DataFrame], np.ndarray]


def without_defects(mission: SimulatedMission) -> SimulatedMission:
    """Return the same mission over the same station, every PV module healthy."""
    twin = SimulatedMission(
        mission.profile, mission.number, len(mission.flight.waypoints), mission.seed
    )
    healthy = np.full_like(twin.layout.defect, -1)
    twin.layout = twin.station.layout = replace(twin.layout, defect=healthy)
    return twin


def _cut(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """Cut a square around a point, mirrored beyond the border; as a few numbers."""
    wide = cv2.copyMakeBorder(image, *[CONTEXT_PX] * 4, cv2.BORDER_REFLECT_101)
    left, top = int(x) + CONTEXT_PX // 2, int(y) + CONTEXT_PX // 2
    part = wide[top : top + CONTEXT_PX, left : left + CONTEXT_PX].astype(np.float32)
    small = cv2.resize(part, (5, 5), interpolation=cv2.INTER_AREA).ravel()
    return np.r_[small, part.std(axis=(0, 1)).ravel()]


def _module_centre(
    mission: SimulatedMission, pair: RenderedPair, hotspot: TrueHotspot
) -> np.ndarray:
    """Return the middle of the hotspot's PV module in infrared pixels.

    Around the box's own middle, the grid of PV modules would tell where on its module it lies.
    """
    layout = mission.layout
    members = layout.corner_px[layout.defect == hotspot.defect] + np.array(layout.tile_px) / 2
    centres = pair.exposure.infrared.project(members * np.array(layout.step_m))
    x, y, w, h = hotspot.box_xywh_px
    distance = np.linalg.norm(centres - (x + (w - 1) / 2, y + (h - 1) / 2), axis=1)
    return np.clip(centres[distance.argmin()], 0, (639, 511))


def _features(
    mission: SimulatedMission, seen: RenderedPair, labelled: RenderedPair
) -> list[dict[str, float]]:
    """Describe place and surroundings of every label of a pair."""
    infrared = seen.infrared.astype(np.float32)
    infrared = (infrared - infrared.mean()) / max(float(infrared.std()), 1e-6)
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    visible = cv2.warpPerspective(seen.visible, seen.homography, (640, 512), flags=flags)
    rows = []
    for hotspot in labelled.hotspots:
        x, y = _module_centre(mission, labelled, hotspot)
        _, _, w, h = hotspot.box_xywh_px
        row = {"position_x": x / 640, "position_y": y / 512, "box_width": w, "box_height": h}
        for name, image in (("infrared", infrared), ("visible", visible)):
            row |= {f"{name}_{k}": float(v) for k, v in enumerate(_cut(image, x, y))}
        rows.append(row)
    return rows


def _profiles(habits: bool) -> list[Profile]:
    """Return the stations, or the same without any link between place and class."""
    plain = {"habits": ()}
    return [
        p if habits else p.model_copy(update={"defects": p.defects.model_copy(update=plain)})
        for p in bundled_profiles()
    ]


def context_table(seed: int, habits: bool = True) -> pd.DataFrame:
    """Render the fleet twice, with and without its defects, and describe every label's context."""
    rows: list[dict[str, object]] = []
    for profile, number, pairs in plan_missions(_profiles(habits), "small"):
        mission = SimulatedMission(profile, number, pairs, seed)
        healthy = without_defects(mission)
        for index in range(pairs):
            pair = mission.render(index)
            if not pair.hotspots:
                continue
            found = _features(mission, healthy.render(index), pair)
            for hotspot, row in zip(pair.hotspots, found, strict=True):
                defect_class = DEFECT_CLASSES.index(pair.sources[hotspot.defect][0])  # type: ignore[arg-type]
                label = {"site": profile.site_id, "defect": hotspot.defect, "class": defect_class}
                rows.append(label | row)
    return pd.DataFrame(rows)


def blind_control_accuracy(seed: int) -> float:
    """Return how often the control tells a label's class at a site it has not seen, in percent.

    It sees background and position only: the stations rendered again without their defects.
    """
    table = context_table(seed)
    features, target = (
        _columns(table, ("position", "infrared", "visible")),
        table["class"].to_numpy(),
    )
    return _percent(_cross_site(features, target, table) == target)


def _columns(table: pd.DataFrame, start: str | tuple[str, ...]) -> np.ndarray:
    return table[[c for c in table if str(c).startswith(start)]].to_numpy()


def _cross_site(features: np.ndarray, target: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Predict each site's classes from the other sites."""
    seen = np.zeros(len(table), int)
    for site in table["site"].unique():
        test = (table["site"] == site).to_numpy()
        model = RandomForestClassifier(
            100, min_samples_leaf=2, random_state=0, class_weight="balanced"
        )
        seen[test] = model.fit(features[~test], target[~test]).predict(features[test])
    return seen


def _within_sites(features: np.ndarray, target: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Predict from other defects of the same sites; a defect is never on both sides."""
    group = pd.factorize(table["site"] + table["defect"].astype(str))[0]
    model = RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
    site = pd.get_dummies(table["site"]).to_numpy(float)
    return np.asarray(
        cross_val_predict(
            model, np.hstack([features, site]), target, groups=group, cv=GroupKFold(5)
        )
    )


def _shuffled(table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Deal the classes anew among the defects of each site: frequencies stay, links go."""
    dealt = {}
    for site, part in table.groupby("site"):
        defects = part.drop_duplicates("defect")
        classes = rng.permutation(defects["class"].to_numpy())
        dealt |= {(site, d): c for d, c in zip(defects["defect"], classes, strict=True)}
    return np.array([dealt[key] for key in zip(table["site"], table["defect"], strict=True)])


def _percent(told: np.ndarray) -> float:
    return round(100 * float(told.mean()), 1)


def _against_shuffles(table: pd.DataFrame, predict: Predict, seed: int) -> dict[str, object]:
    """Tell the classes from all features, and as often after dealing the classes anew."""
    target = table["class"].to_numpy()
    features = _columns(table, ("position", "infrared", "visible"))
    told = predict(features, target, table) == target
    rng = np.random.default_rng(seed)
    chance = []
    for _ in range(SHUFFLES):
        dealt = _shuffled(table, rng)
        chance.append(100 * float((predict(features, dealt, table) == dealt).mean()))
    result: dict[str, object] = {"all": _percent(told)}
    for name in ("position", "infrared", "visible"):
        result[f"{name}_only"] = _percent(predict(_columns(table, name), target, table) == target)
    return result | {
        "classes_dealt_anew_mean": round(float(np.mean(chance)), 1),
        "classes_dealt_anew_deviation": round(float(np.std(chance)), 1),
    }


def _summary(table: pd.DataFrame, seed: int) -> dict[str, Any]:
    counts = table.groupby(["site", "class"]).size().unstack(fill_value=0)
    target = table["class"].to_numpy()
    others = {site: counts.drop(index=site).sum().idxmax() for site in counts.index}
    guess = {
        "cross_site": table["site"].map(others).to_numpy(),
        "within_sites": table["site"].map(counts.idxmax(axis=1)).to_numpy(),
    }
    result: dict[str, Any] = {
        "labels": len(table),
        "defects": int(table.drop_duplicates(["site", "defect"]).shape[0]),
    }
    for name, predict in (("cross_site", _cross_site), ("within_sites", _within_sites)):
        box = predict(_columns(table, "box"), target, table) == target
        result[name] = {
            "commonest_class": _percent(guess[name] == target),
            "size_of_the_box": _percent(box),
        } | _against_shuffles(table, predict, seed)
    return result


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    cv2.setNumThreads(1)
    arms = {
        "as_flown": _summary(context_table(SEED), SEED),
        "habits_removed": _summary(context_table(SEED, habits=False), SEED),
    }
    figures = {
        f"{arm}_{part}_{key}": arms[arm][part][key]
        for arm in arms
        for part in ("cross_site", "within_sites")
        for key in ("all", "classes_dealt_anew_mean")
    }
    print(write_result("fleet_leak", seeds=[SEED], figures=figures, arms=arms))


if __name__ == "__main__":
    main()
