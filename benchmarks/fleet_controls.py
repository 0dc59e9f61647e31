"""Small classifiers that look for what a simulation gives away."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

CONTEXT_PX = 160
PATCH_PX = 96


def _read(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)).astype(np.float32)


def _cut(image: np.ndarray, x: float, y: float, size: int) -> np.ndarray:
    """Cut a square around a point, mirrored beyond the border."""
    pad = size
    wide = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
    left, top = int(x) + pad - size // 2, int(y) + pad - size // 2
    return np.asarray(wide[top : top + size, left : left + size])


def context_features(labels_path: Path) -> list[dict[str, object]]:
    """Describe surroundings and position of every label of a mission, the defect blanked.

    The box, grown by half and at least 6 px, is filled with the mean of what surrounds it, in
    both images (over the visible one at the same share of the frame, a little larger).
    """
    labels = json.loads(labels_path.read_text())
    folder = labels_path.parent
    rows: list[dict[str, object]] = []
    by_image: dict[int, list[dict[str, object]]] = {}
    for annotation in labels["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    for image in labels["images"]:
        annotations = by_image.get(image["id"], [])
        if not annotations:
            continue
        infrared = _read(folder / image["file_name"])
        infrared = infrared if infrared.ndim == 2 else infrared[..., 0]
        infrared = (infrared - infrared.mean()) / max(infrared.std(), 1e-6)
        visible = cv2.resize(
            _read(folder / "visible" / (Path(image["file_name"]).stem + ".jpg")),
            (640, 512),
            interpolation=cv2.INTER_AREA,
        )
        for annotation in annotations:
            x, y, w, h = (float(v) for v in annotation["bbox"])  # type: ignore[attr-defined]
            row: dict[str, object] = {
                "site": folder.parent.name,
                "group": f"{folder}/{image['id']}",
                "defect_class": int(str(annotation["category_id"])),
                "x": (x + w / 2) / 640,
                "y": (y + h / 2) / 512,
            }
            for name, source in (("infrared", infrared[..., None]), ("visible", visible)):
                part = (
                    _cut(source, x + w / 2, y + h / 2, CONTEXT_PX)
                    .reshape(CONTEXT_PX, CONTEXT_PX, -1)
                    .copy()
                )
                grow = 1.5 if name == "infrared" else 2.5
                half_w, half_h = (int(max(v * grow, v + 12) / 2) + 1 for v in (w, h))
                middle = CONTEXT_PX // 2
                hole = np.zeros(part.shape[:2], bool)
                hole[
                    max(middle - half_h, 0) : middle + half_h,
                    max(middle - half_w, 0) : middle + half_w,
                ] = True
                part[hole] = part[~hole].mean(axis=0) if (~hole).any() else 0
                small = cv2.resize(part, (5, 5), interpolation=cv2.INTER_AREA).reshape(-1)
                row |= {f"{name}_{k}": float(v) for k, v in enumerate(small)}
                row |= {
                    f"{name}_std_{k}": float(v)
                    for k, v in enumerate(part.reshape(-1, part.shape[-1]).std(axis=0))
                }
            rows.append(row)
    return rows


def leave_one_site_out(table: pd.DataFrame) -> dict[str, object]:
    """Predict the class from background and position; in percent, beside guessing the commonest."""
    features = table.drop(columns=["site", "group", "defect_class"]).to_numpy()
    target = table["defect_class"].to_numpy()
    model = RandomForestClassifier(200, min_samples_leaf=2, random_state=0)
    seen, guess = np.zeros(len(table), int), np.zeros(len(table), int)
    for site in table["site"].unique():
        test = (table["site"] == site).to_numpy()
        seen[test] = model.fit(features[~test], target[~test]).predict(features[test])
        guess[test] = np.bincount(target[~test]).argmax()
    within = cross_val_predict(model, features, target, groups=table["group"], cv=GroupKFold(5))
    commonest = table.groupby("site")["defect_class"].transform(lambda c: c.mode().iloc[0])
    return {
        "labels": len(table),
        "leave_one_site_out": 100 * float((seen == target).mean()),
        "commonest_of_other_sites": 100 * float((guess == target).mean()),
        "same_sites": 100 * float((within == target).mean()),
        "commonest_of_same_site": 100 * float((commonest == table["defect_class"]).mean()),
    }


def patch_features(image: np.ndarray) -> np.ndarray:
    """Describe patches of an image by levels, contrast and spectrum: (patches, features)."""
    rows = []
    window = np.hanning(PATCH_PX)[:, None] * np.hanning(PATCH_PX)[None, :]
    radius = np.hypot(np.fft.fftfreq(PATCH_PX)[:, None], np.fft.fftfreq(PATCH_PX)[None, :])
    ring = np.digitize(radius.ravel(), np.geomspace(0.02, 0.5, 10))
    for y in range(0, image.shape[0] - PATCH_PX + 1, PATCH_PX):
        for x in range(0, image.shape[1] - PATCH_PX + 1, PATCH_PX):
            patch = image[y : y + PATCH_PX, x : x + PATCH_PX].astype(np.float32)
            green = patch[..., 1]
            power = np.abs(np.fft.fft2((green - green.mean()) * window)) ** 2
            spectrum = np.log1p(
                np.bincount(ring, power.ravel(), minlength=11) / np.bincount(ring, minlength=11)
            )
            levels = np.percentile(patch, [2, 25, 50, 75, 98], axis=(0, 1)).ravel()
            edge = np.diff(green, axis=0).ravel()
            tails = np.mean((edge / max(edge.std(), 1e-3)) ** 4)
            rows.append(np.r_[spectrum, levels, tails])
    return np.array(rows)


def tell_apart(real: list[np.ndarray], simulated: list[np.ndarray]) -> float:
    """Return how often single patches are told apart, in percent; no image in both folds."""
    images = real + simulated
    features = np.concatenate(images)
    group = np.repeat(np.arange(len(images)), [len(i) for i in images])
    target = group >= len(real)
    model = RandomForestClassifier(200, min_samples_leaf=2, random_state=0, class_weight="balanced")
    told = cross_val_predict(model, features, target, groups=group, cv=GroupKFold(5))
    return 100 * float(np.mean([(told[target == side] == side).mean() for side in (False, True)]))
