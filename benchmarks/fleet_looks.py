"""Simulated beside real, in numbers and curves; a gallery of the simulated side.

``python -m benchmarks.fleet_looks`` writes ``docs/pictures/fleet_*`` and its result file. Without
``DD_LIVM_REAL_DATA`` only the simulated side is measured.
"""

import os
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np

from benchmarks.results_file import write_result
from dd_livm_core.fleet.cameras.sensors import to_grey
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.records import DEFECT_CLASSES

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
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


def statistics(pictures: Pictures) -> dict[str, object]:
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


def real_pictures(folder: Path) -> Pictures:
    names = [p.name[:-6] for p in sorted((folder / "T").glob("*_T.JPG"))][::2]
    return {
        "infrared": [
            cv2.imread(str(folder / "T" / f"{n}_T.JPG"), cv2.IMREAD_GRAYSCALE) for n in names
        ],
        "visible": [cv2.imread(str(folder / "V" / f"{n}_V.JPG"))[..., ::-1] for n in names],
    }


def on_infrared_grid(pair: RenderedPair) -> np.ndarray:
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(pair.visible, pair.homography, (640, 512), flags=flags))


def grey(pair: RenderedPair) -> np.ndarray:
    return pair.infrared if pair.infrared.dtype == np.uint8 else to_grey(pair.infrared)  # type: ignore[arg-type]


def simulated_pictures() -> Pictures:
    (profile,) = (p for p in bundled_profiles() if p.site_id == LIKE_THE_REAL_PAIRS)
    pairs = []
    for number in range(2):
        mission = SimulatedMission(profile, number, 24, SEED)
        pairs += [mission.render(i) for i in range(24)]
    return {"infrared": [grey(p) for p in pairs], "visible": [on_infrared_grid(p) for p in pairs]}


def draw_gallery(path: Path) -> None:
    """Draw the pair with most hotspots out of eight per station: infrared with labels, visible."""
    tiles = []
    for profile in bundled_profiles():
        mission = SimulatedMission(profile, 0, 24, SEED)
        pair = max((mission.render(i) for i in range(0, 24, 3)), key=lambda p: len(p.hotspots))
        shown = cv2.cvtColor(grey(pair), cv2.COLOR_GRAY2RGB)
        for hotspot in pair.hotspots:
            x, y, w, h = (int(v) for v in hotspot.box_xywh_px)
            cv2.rectangle(shown, (x - 2, y - 2), (x + w + 1, y + h + 1), (255, 60, 30), 2)
        both = np.hstack([shown, on_infrared_grid(pair)])
        text = f"simulated: {profile.site_id}, {profile.mounting}"
        cv2.rectangle(both, (0, 0), (460, 34), (0, 0, 0), -1)
        cv2.putText(
            both, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 1, cv2.LINE_AA
        )
        tiles.append(cv2.resize(both, (640, 256), interpolation=cv2.INTER_AREA))
    grid = np.vstack([np.hstack(tiles[k : k + 3]) for k in range(0, 9, 3)])
    cv2.imwrite(str(path), grid[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


def draw_defects(path: Path) -> None:
    """Draw one PV module per class and column: colour above, excess temperature below."""
    (profile,) = (p for p in bundled_profiles() if p.site_id == "gobi_west")
    mission = SimulatedMission(profile, 0, 4, SEED)
    station = mission.station
    face = station.faces[0]
    columns = []
    for defect_class in DEFECT_CLASSES:
        for seed in range(4):
            look = station.workshop.make(defect_class, np.random.default_rng(seed))
            pad = station.workshop.pad
            colour = face.astype(np.float32)
            paint = look.paint[pad:-pad, pad:-pad].astype(np.float32)
            colour = colour * (1 - paint[..., 3:] / 255) + paint[..., :3] * paint[..., 3:] / 255
            heat = cv2.applyColorMap(
                np.clip(look.excess_k * 12, 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO
            )
            column = np.vstack([colour.astype(np.uint8), heat[..., ::-1]])
            columns.append(
                cv2.copyMakeBorder(
                    column, 2, 2, 2, 2 if seed < 3 else 14, cv2.BORDER_CONSTANT, value=(255,) * 3
                )
            )
    cv2.imwrite(str(path), np.hstack(columns)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


def draw_statistics(
    path: Path, sides: dict[str, Pictures], numbers: dict[str, dict[str, object]]
) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(16, 3.4), layout="constrained")
    middle = np.sqrt(BINS[1:] * BINS[:-1])
    for side, pictures in sides.items():
        levels, edges = np.histogram(np.stack(pictures["infrared"]), 64, (0, 255), density=True)
        axes[0].plot(edges[:-1], levels, label=side)
        for channel, colour in enumerate(("r", "g", "b")):
            levels, edges = np.histogram(
                np.stack(pictures["visible"])[..., channel], 64, (0, 255), density=True
            )
            axes[1].plot(edges[:-1], levels, colour, ls="-" if side == "real" else "--", lw=1)
        axes[2].semilogx(middle, numbers[side]["infrared_spectrum_decades"], label=side)
        axes[3].semilogx(middle, numbers[side]["visible_spectrum_decades"], label=side)
    titles = (
        "infrared grey levels",
        "visible levels (real solid, simulated dashed)",
        "infrared spectrum",
        "visible spectrum",
    )
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=10)
    axes[2].set_xlabel("cycles per pixel")
    axes[3].set_xlabel("cycles per pixel")
    axes[2].set_ylabel("decades under the lowest ring")
    axes[0].legend()
    figure.savefig(path, dpi=80)


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    sides = {"simulated": simulated_pictures()}
    if os.environ.get("DD_LIVM_REAL_DATA"):
        sides = {"real": real_pictures(Path(os.environ["DD_LIVM_REAL_DATA"]) / "pv_pairs")} | sides
    numbers = {side: statistics(pictures) for side, pictures in sides.items()}
    draw_gallery(PICTURES / "fleet_gallery.jpg")
    draw_defects(PICTURES / "fleet_defects.jpg")
    draw_statistics(PICTURES / "fleet_statistics.png", sides, numbers)
    write_result("fleet_looks", seeds=[SEED], figures={}, arms=numbers)


if __name__ == "__main__":
    main()
