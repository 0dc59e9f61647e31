"""Draw the pictures of docs/heat.md: one hotspot under a grid of irradiance and wind, and profiles.

    python -m docs.build.heat_pictures [--real FOLDER --output FOLDER]

``--real`` names InfraredSolarModules; before and after of its crops are drawn beside the others
only then, since real images are not part of the repository.
"""

import argparse
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from scipy.special import i0, i1, k0, k1

from benchmarks.augmentation_shapes import real_crops
from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.heat.diffusion import steady_excess, transient_excess, weather_transfer
from dd_livm_core.heat.laminate import (
    CELL_CONDUCTANCE_W_K,
    cell_gap_conductance,
    loss_coefficient,
    source_ratio,
)
from dd_livm_core.panels.excess import excess_temperature

PICTURES = Path(__file__).parents[1] / "pictures"
CELL_M, CELL_PX, BLUR_M = 0.156, 26, 0.02
PIXEL_M = CELL_M / CELL_PX
IRRADIANCES_W_M2, WINDS_M_S = (300, 600, 900), (0.0, 2.0, 6.0)
OBSERVED = (900, 2.0)


def render_hot_cell() -> np.ndarray:
    """Return a hot cell of 12 W among gaps, as a camera with a point spread of 2 cm sees it: (156, 156)."""
    side = 6 * CELL_PX
    source = np.zeros((side, side))
    source[2 * CELL_PX : 3 * CELL_PX, 2 * CELL_PX : 3 * CELL_PX] = 12 / CELL_M**2
    gaps = cell_gap_conductance(source.shape, (CELL_PX, CELL_PX), 0.002 / PIXEL_M)
    sharp = steady_excess(source, PIXEL_M, gaps, loss_coefficient(OBSERVED[1]))
    return cv2.GaussianBlur(sharp, (0, 0), BLUR_M / PIXEL_M)


def draw_weather_grid(observed: np.ndarray, path: Path) -> None:
    """Draw the hot cell under each irradiance and wind, and a profile through its middle."""
    figure, axes = plt.subplots(
        len(WINDS_M_S), len(IRRADIANCES_W_M2) + 1, figsize=(11, 7), layout="constrained"
    )
    x_cm = (np.arange(observed.shape[1]) + 0.5) * PIXEL_M * 100
    row = int(2.5 * CELL_PX)
    for wind, line in zip(WINDS_M_S, axes, strict=True):
        for irradiance, panel in zip(IRRADIANCES_W_M2, line, strict=False):
            shown = weather_transfer(
                observed, PIXEL_M, CELL_CONDUCTANCE_W_K, loss_coefficient(OBSERVED[1]),
                loss_coefficient(wind), source_ratio(OBSERVED[0], irradiance, 1.6),
            )  # fmt: skip
            picture = panel.imshow(shown, cmap="inferno", vmin=0, vmax=21, extent=(0, 94, 94, 0))
            mark = " (observed)" if (irradiance, wind) == OBSERVED else ""
            panel.set_title(
                f"{irradiance} W/m², {wind:g} m/s{mark}: {shown.max():.1f} K", fontsize=9
            )
            line[-1].plot(x_cm, shown[row], label=f"{irradiance} W/m²")
        line[-1].set(xlabel="cm", ylabel="ΔT in K", ylim=(0, 22), title=f"profiles at {wind:g} m/s")
        line[-1].legend(fontsize=7)
    figure.colorbar(picture, ax=axes[:, :-1], label="ΔT over the healthy panel in K", shrink=0.6)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def draw_cloud_and_transfer(observed: np.ndarray, path: Path) -> None:
    """Draw how the hot cell cools under a cloud, and the gain of the transfer by wavelength."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    loss, row = loss_coefficient(OBSERVED[1]), int(2.5 * CELL_PX)
    x_cm = (np.arange(observed.shape[1]) + 0.5) * PIXEL_M * 100
    for elapsed_s in (0, 60, 180, 600):
        clouded = transient_excess(
            0.7 * observed, np.zeros_like(observed), PIXEL_M, CELL_CONDUCTANCE_W_K, loss, elapsed_s
        )
        left.plot(x_cm, (0.3 * observed + clouded)[row], label=f"{elapsed_s} s")
    left.set(xlabel="cm", ylabel="ΔT in K", title="a cloud takes 70 % of the heat source")
    left.legend()
    wave_m = np.geomspace(0.01, 5, 200)
    kappa2 = (2 * np.pi / wave_m) ** 2
    for wind in (0, 4, 8):
        after = loss_coefficient(wind) + CELL_CONDUCTANCE_W_K * kappa2
        right.semilogx(
            wave_m * 100, (loss + CELL_CONDUCTANCE_W_K * kappa2) / after, label=f"to {wind} m/s"
        )
    right.set(
        xlabel="wavelength in cm", ylabel="gain", title="transfer from 2 m/s: between U₀/U₁ and 1"
    )
    right.legend()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def measure_convergence_errors(pixels_m: np.ndarray) -> dict[str, np.ndarray]:
    """Return the largest error in kelvin, at each pixel size, against the closed solutions at 1 m/s."""
    loss, power = loss_coefficient(1.0), 500.0
    length = np.sqrt(CELL_CONDUCTANCE_W_K / loss)
    errors: dict[str, list[float]] = {"strip, cosines": [], "strip, finite volumes": [], "disk": []}
    for pixel_m in pixels_m:
        # So far from the strip that its mirror images do not count.
        x = (np.arange(round(1.28 / pixel_m)) + 0.5) * pixel_m - 0.64
        w = 0.08 / length
        inside, outside = 1 - np.exp(-w) * np.cosh(x / length), np.exp(-np.abs(x) / length)
        exact = power / loss * np.where(np.abs(x) < 0.08, inside, np.sinh(w) * outside)
        source = np.tile(power * (np.abs(x) < 0.08), (4, 1))
        for name, conductance in (
            ("strip, cosines", CELL_CONDUCTANCE_W_K),
            ("strip, finite volumes", np.full(source.shape, CELL_CONDUCTANCE_W_K)),
        ):
            theta = steady_excess(source, pixel_m, conductance, loss)
            errors[name].append(np.abs(theta - exact).max())
        x = x[np.abs(x) < 0.32]
        r, a = np.hypot(*np.meshgrid(x, x)) / length, 0.04 / length
        source = power * np.clip((a - r) * length / pixel_m + 0.5, 0, 1)
        exact = power / loss * np.where(
            r < a, 1 - a * k1(a) * i0(np.minimum(r, a)), a * i1(a) * k0(np.maximum(r, a))
        )  # fmt: skip
        theta = steady_excess(source, pixel_m, CELL_CONDUCTANCE_W_K, loss)
        errors["disk"].append(np.abs(theta - exact).max())
    return {name: np.array(values) for name, values in errors.items()}


def draw_convergence(path: Path) -> None:
    """Draw and print the solvers' largest error against closed solutions, by size of the pixel."""
    pixels_m = np.array([0.016, 0.008, 0.004, 0.002, 0.001])
    figure, axis = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    for name, errors in measure_convergence_errors(pixels_m).items():
        order = np.polyfit(np.log(pixels_m), np.log(errors), 1)[0]
        axis.loglog(1000 * pixels_m, errors, "o-", label=f"{name}: order {order:.1f}")
        print(
            name,
            dict(zip((1000 * pixels_m).round(1).tolist(), errors.round(5).tolist(), strict=True)),
        )
    axis.set(xlabel="pixel in mm", ylabel="largest error in K", title="against closed solutions")
    axis.legend(fontsize=8)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def draw_before_and_after(folder: Path, path: Path) -> None:
    """Draw real crops (relative units) as recorded, and under other weather by the augmentation."""
    crops, everywhere = real_crops(folder), np.ones((40, 24), bool)
    weathers = ((300, 1.0), (500, 6.0), (1000, 0.0))
    chosen = ("Cell", "Cracking", "Diode", "Soiling", "Vegetation")
    figure, axes = plt.subplots(
        len(chosen), 2 * (len(weathers) + 1), figsize=(11, 12), layout="constrained"
    )
    for name, line in zip(chosen, axes, strict=True):
        for half, crop in enumerate(crops[name][3:5]):
            excess = excess_temperature(crop.astype(np.float32), everywhere, False)
            shown = [("recorded", excess)]
            for irradiance, wind in weathers:
                transform = HotspotWeather(
                    irradiance_range_w_m2=(irradiance, irradiance), wind_range_m_s=(wind, wind),
                    observed_irradiance_range_w_m2=(800, 800), observed_wind_range_m_s=(1, 1),
                    cloud_probability=0, pv_module_width_m=1.0, p=1,
                )  # fmt: skip
                known = {"pv_module_width_px": 24.0, "radiometric": False}
                drawn = transform(image=excess, weather=known)["image"]
                shown.append((f"{irradiance} W/m², {wind:g} m/s", drawn))
            for panel, (title, image) in zip(line[4 * half : 4 * half + 4], shown, strict=True):
                panel.imshow(image, cmap="inferno", vmin=-2, vmax=10)
                panel.set_title(f"{name}\n{title}", fontsize=7)
                panel.axis("off")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--output", type=Path, default=PICTURES)
    arguments = parser.parse_args()
    mpl.use("Agg")
    arguments.output.mkdir(parents=True, exist_ok=True)
    observed = render_hot_cell()
    draw_weather_grid(observed, arguments.output / "hotspot_weather.png")
    draw_cloud_and_transfer(observed, arguments.output / "hotspot_cloud.png")
    draw_convergence(arguments.output / "heat_convergence.png")
    if arguments.real is not None:
        draw_before_and_after(arguments.real, arguments.output / "hotspot_real.png")


if __name__ == "__main__":
    main()
