"""A small classifier that tells patches of real and of simulated images apart."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

PATCH_PX = 96


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
