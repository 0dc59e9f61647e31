"""Simulated beside real, in numbers: ``python -m benchmarks.fleet_looks``.

Levels, colours, spacing of rows and spectra of both sides. Without ``DD_LIVM_REAL_DATA`` only the simulated side is
measured. ``python -m docs.build.fleet_pictures`` draws the same as curves.
"""

import argparse
import os
from pathlib import Path

import cv2
import numpy as np

from benchmarks.results_file import write_result
from dd_livm_core.fleet.cameras.sensors import to_grey
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.profile_files import bundled_profiles

SEED = 31
LIKE_THE_REAL_PAIRS = "plain_meadow"
BINS = np.geomspace(0.01, 0.5, 18)
Pictures = dict[str, list[np.ndarray]]


def spectrum(grey: np.ndarray) -> np.ndarray:
    """Return the radial power spectrum, as decades under the lowest ring."""
    values = grey.astype(float) - grey.mean()
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])[None, :]
    power = np.abs(np.fft.fft2(values * window)) ** 2
    radius = np.hypot(
        np.fft.fftfreq(grey.shape[0])[:, None], np.fft.fftfreq(grey.shape[1])[None, :]
    )
    ring = np.digitize(radius.ravel(), BINS)
    rings = np.array([power.ravel()[ring == k].mean() for k in range(1, len(BINS))])
    return np.asarray(np.log10(rings / rings[0]))


def row_pitch_px(infrared: np.ndarray) -> float:
    """Return the spacing of rows by the autocorrelation of a narrow upright strip, or nan."""
    strip = infrared[:, 300:340].astype(float).mean(axis=1)
    strip -= strip.mean()
    correlation = np.correlate(strip, strip, "full")[len(strip) :]
    lag = int(np.argmax(correlation[50:220])) + 50
    return float(lag + 1) if correlation[lag] > 0.25 * correlation[0] else float("nan")


def summarise(pictures: Pictures) -> dict[str, object]:
    """Summarise one side: levels of both images, share of panels, spacing of rows, spectrum."""
    infrared, visible = np.stack(pictures["infrared"]), np.stack(pictures["visible"])
    panels = [cv2.threshold(i, 0, 255, cv2.THRESH_OTSU)[1].mean() / 255 for i in infrared]
    return {
        "pairs": len(infrared),
        "infrared_percentiles_1_10_50_90_99": np.percentile(infrared, [1, 10, 50, 90, 99]).tolist(),
        "visible_mean_rgb": visible.mean(axis=(0, 1, 2)).round(1).tolist(),
        "visible_deviation_rgb": visible.std(axis=(0, 1, 2)).round(1).tolist(),
        "warm_share_pct": round(100 * float(np.mean(panels)), 1),
        "row_pitch_px_median": float(np.nanmedian([row_pitch_px(i) for i in infrared])),
        "infrared_spectrum_decades": np.mean([spectrum(i) for i in infrared], axis=0)
        .round(2)
        .tolist(),
        "visible_spectrum_decades": np.mean([spectrum(v[..., 1]) for v in visible], axis=0)
        .round(2)
        .tolist(),
    }


def read_real_pictures(folder: Path) -> Pictures:
    """Read every other real pair; its author brought the visible images onto the infrared grid."""
    names = [p.name[:-6] for p in sorted((folder / "T").glob("*_T.JPG"))][::2]
    return {
        "infrared": [
            cv2.imread(str(folder / "T" / f"{n}_T.JPG"), cv2.IMREAD_GRAYSCALE) for n in names
        ],
        "visible": [cv2.imread(str(folder / "V" / f"{n}_V.JPG"))[..., ::-1] for n in names],
    }


def bring_onto_infrared_grid(pair: RenderedPair) -> np.ndarray:
    """Warp a pair's visible image onto its infrared frame: (512, 640, 3) uint8."""
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(pair.visible, pair.homography, (640, 512), flags=flags))


def make_grey(pair: RenderedPair) -> np.ndarray:
    """Return a pair's infrared image as a camera without radiometry shows it: (512, 640) uint8."""
    return pair.infrared if pair.infrared.dtype == np.uint8 else to_grey(pair.infrared)  # type: ignore[arg-type]


def render_simulated_pictures() -> Pictures:
    """Render two missions of the station that has the real plant's kind of rows."""
    (profile,) = (p for p in bundled_profiles() if p.site_id == LIKE_THE_REAL_PAIRS)
    pairs = []
    for number in range(2):
        mission = SimulatedMission(profile, number, 24, SEED)
        pairs += [mission.render(i) for i in range(24)]
    return {
        "infrared": [make_grey(p) for p in pairs],
        "visible": [bring_onto_infrared_grid(p) for p in pairs],
    }


def read_sides() -> dict[str, Pictures]:
    """Return the pictures of each side; the real one only where ``DD_LIVM_REAL_DATA`` names its folder."""
    sides = {"simulated": render_simulated_pictures()}
    if os.environ.get("DD_LIVM_REAL_DATA"):
        real = read_real_pictures(Path(os.environ["DD_LIVM_REAL_DATA"]) / "pv_pairs")
        sides = {"real": real} | sides
    return sides


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    arms = {side: summarise(pictures) for side, pictures in read_sides().items()}
    print(write_result("fleet_looks", seeds=[SEED], figures={}, arms=arms))


if __name__ == "__main__":
    main()
