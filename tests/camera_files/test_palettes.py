"""A picture saved with a palette becomes one value a pixel again, hot above cold, or says why not."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dd_livm_core.camera_files.palette_values import LUMINANCE, read_picture
from dd_livm_core.camera_files.palettes import curve, names
from dd_livm_core.camera_files.radiometry import examine_infrared, infrared_from_bytes
from dd_livm_core.errors import InputError

MONOTONE = ("iron", "ironbow", "inferno", "magma", "plasma", "hot metal", "viridis", "bone")
BENT = ("rainbow", "rainbow of full colours", "arctic", "lava", "jet", "turbo", "blue to red")


def scene(seed: int = 0) -> NDArray[np.uint8]:
    """Return uint8 (256, 320) from 0 cold to 255 hot: ground, rows of PV modules with gaps, hot cells, noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:256, :320].astype(np.float32)
    value = 20 + 40 * columns / 320
    on_panel = (rows % 64 > 14) & (columns % 34 > 2)
    value = np.where(on_panel, 110 + 40 * rows / 256, value)
    for _ in range(12):
        row, column = rng.integers(8, 248), rng.integers(8, 312)
        value += 110 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 18)
    value = cv2.GaussianBlur(value + rng.normal(0, 1.5, value.shape), (0, 0), 0.8)
    value[:, :24] = 127.5 + 127.5 * np.cos(
        rows[:, :24] / 20
    )  # ground from the coldest to the hottest
    return np.clip(np.rint(value), 0, 255).astype(np.uint8)


def saved(colours: NDArray[np.uint8], values: NDArray[np.uint8], quality: int = 85) -> bytes:
    """Return a JPEG of values in the colours (256, 3) of a palette, chroma at half resolution."""
    return jpeg(colours[values], quality)


def jpeg(rgb: NDArray[np.uint8], quality: int = 85) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality, subsampling=2)
    return out.getvalue()


def grey_curve() -> NDArray[np.uint8]:
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def between(*stops: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return 256 colours with straight lines between stops."""
    at = np.linspace(0, 1, 256)
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(at, places, [stop[c] for stop in stops]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def agreement(values: NDArray[np.float32], truth: NDArray[np.uint8]) -> float:
    return float(np.corrcoef(values.ravel(), truth.ravel())[0, 1])


@pytest.mark.parametrize("name", names())
def test_a_ramp_in_any_known_palette_comes_back(name: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 640), (512, 1))
    found = infrared_from_bytes(saved(curve(name), np.rint(ramp).astype(np.uint8)), Path("a.jpg"))
    assert found.palette == name
    assert name in str(found.reason)
    assert not found.radiometric
    steps = name == "medical"  # ten colours, so ten values
    error = np.abs(found.values - ramp)
    assert np.median(error) < (8 if steps else 1)
    assert np.quantile(error, 0.99) < (20 if steps else 6)


@pytest.mark.parametrize("quality", [70, 95])
@pytest.mark.parametrize("name", MONOTONE + BENT)
def test_a_scene_in_a_known_palette_comes_back(name: str, quality: int) -> None:
    truth = scene()
    found = infrared_from_bytes(saved(curve(name), truth, quality), Path("a.jpg"))
    assert found.palette == name
    error = np.abs(found.values - truth.astype(np.float32))
    assert np.median(error) < 3
    assert agreement(found.values, truth) > (0.99 if name in MONOTONE else 0.97)


@pytest.mark.parametrize("name", BENT)
def test_brightness_alone_would_have_been_wrong(name: str) -> None:
    """So that the tests above show something: these palettes are those that brightness does not order."""
    assert (np.diff(curve(name) @ LUMINANCE) < -0.5).any()


def test_a_part_of_a_palette_is_enough() -> None:
    truth = (scene() // 3 + 60).astype(np.uint8)
    found = infrared_from_bytes(saved(curve("rainbow"), truth), Path("a.jpg"))
    assert found.palette == "rainbow"
    assert agreement(found.values, truth) > 0.97


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_pictures_stay_as_they_were(mode: str) -> None:
    out = io.BytesIO()
    Image.fromarray(scene()).convert(mode).save(out, "JPEG", quality=85)
    found = infrared_from_bytes(out.getvalue(), Path("a.jpg"))
    decoded = np.asarray(Image.open(out).convert("RGB")).astype(np.float32)
    assert np.array_equal(found.values, decoded @ np.array([0.299, 0.587, 0.114], np.float32))
    assert (found.palette, found.marked_share) == ("grey", 0.0)


def test_an_unknown_palette_whose_brightness_grows_gives_brightness_and_says_so() -> None:
    truth = scene()
    colours = between((0, 20, 40), (0, 110, 60), (160, 200, 90), (255, 255, 255))
    found = infrared_from_bytes(saved(colours, truth), Path("a.jpg"))
    assert found.palette == "unknown"
    assert "brightness of an unknown palette" in str(found.reason)
    assert agreement(found.values, truth) > 0.98


def test_an_unknown_palette_that_runs_from_blue_to_red_is_put_in_order() -> None:
    truth = np.tile(np.linspace(0, 255, 320), (256, 1)).astype(np.uint8)
    violet, blue, green, yellow, red = (
        (75, 0, 130),
        (0, 0, 255),
        (0, 255, 0),
        (255, 255, 0),
        (255, 0, 0),
    )
    found = infrared_from_bytes(
        saved(between(violet, blue, green, yellow, red), truth), Path("a.jpg")
    )
    assert found.palette == "unknown"
    assert "told by its colours" in str(found.reason)
    assert agreement(found.values, truth) > 0.95


@pytest.mark.parametrize(
    "colours",
    [
        between((0, 160, 0), (160, 160, 160), (160, 0, 160)),
        between((0, 0, 0), (0, 200, 0), (40, 0, 40), (200, 200, 0), (0, 0, 90), (255, 0, 0)),
        cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_HSV)[0],
    ],
    ids=["green to violet", "zigzag", "hue circle"],
)
def test_an_unknown_palette_without_a_plain_hot_end_is_refused(colours: NDArray[np.uint8]) -> None:
    content = saved(colours, scene())
    for read in (infrared_from_bytes, examine_infrared):
        with pytest.raises(InputError, match=r"a\.jpg.*unknown palette|unknown palette.*a\.jpg"):
            read(content, Path("a.jpg"))


def test_two_palettes_that_run_against_each_other_are_not_taken_for_one() -> None:
    """Red to yellow is warmer in hot metal, cooler in jet: brightness is used, and said to be that."""
    found = infrared_from_bytes(saved(between((255, 0, 0), (255, 255, 0)), scene()), Path("a.jpg"))
    assert found.palette == "unknown"


def marked(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a picture with a crosshair, a box and a line of text in green and cyan, and where they are."""
    drawn, where = rgb.copy(), np.zeros(rgb.shape[:2], np.uint8)
    for image, green, cyan in ((drawn, (0, 255, 0), (0, 255, 255)), (where, 1, 1)):
        cv2.drawMarker(image, (160, 128), green, cv2.MARKER_CROSS, 40, 2)
        cv2.rectangle(image, (200, 150), (270, 200), cyan, 2)
        cv2.putText(image, "Sp1 48.2", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.8, green, 2)
    return drawn, where > 0


@pytest.mark.parametrize("name", ["grey", "iron", "ironbow", "inferno"])
def test_burnt_in_marks_are_filled_and_told(name: str) -> None:
    truth = scene()
    rgb = (grey_curve() if name == "grey" else curve(name))[truth]
    drawn, where = marked(rgb)
    found = infrared_from_bytes(jpeg(drawn), Path("a.jpg"))
    clean = infrared_from_bytes(jpeg(rgb), Path("a.jpg"))
    assert found.palette == clean.palette == name
    assert 0.5 * where.mean() < found.marked_share < 6 * where.mean()
    assert "burnt-in marks" in str(found.reason)
    far = cv2.dilate(where.astype(np.uint8), np.ones((13, 13), np.uint8)) == 0
    assert np.abs(found.values - clean.values)[far].mean() < 0.5
    if name != "grey":
        brightness = np.abs(jpeg_pixels(drawn) @ LUMINANCE - clean.values)
        assert np.abs(found.values - clean.values)[where].mean() < brightness[where].mean()
    assert clean.marked_share == 0


def jpeg_pixels(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(Image.open(io.BytesIO(jpeg(rgb))).convert("RGB")).astype(np.float32)


def with_scale(values: NDArray[np.uint8], level: bool) -> NDArray[np.uint8]:
    """Return a screen shot: values with a scale in the margin, hot at its top or right."""
    shot = values[:, 24:].copy()
    height, width = shot.shape
    if level:
        shot[height - 20 : height - 10, 40 : width - 40] = np.linspace(0, 255, width - 80)
    else:
        shot[30 : height - 30, width - 20 : width - 10] = np.linspace(255, 0, height - 60)[:, None]
    return shot


@pytest.mark.parametrize("level", [False, True], ids=["upright", "level"])
@pytest.mark.parametrize("name", ["grey", "iron", "ironbow"])
def test_a_burnt_in_scale_is_filled_and_tells_which_end_is_hot(name: str, level: bool) -> None:
    truth = with_scale(scene(), level)
    colours = grey_curve() if name == "grey" else curve(name)
    for shown, turned in ((truth, False), (255 - truth, True)):
        found = infrared_from_bytes(saved(colours, shown, 92), Path("a.jpg"))
        black_hot = "black hot" if name == "grey" else f"inverted {name}"
        assert found.palette == (black_hot if turned else name)
        assert found.marked_share > 0.01
        inside = found.values[40:200, 10:230], truth[40:200, 10:230]
        assert agreement(*inside) > 0.97


@pytest.mark.parametrize("name", sorted(set(names()) - {"medical"}))
def test_a_framed_scale_tells_the_hot_end_of_every_palette(name: str) -> None:
    """But of medical, whose ten colours draw no straight line."""
    truth = cv2.resize(scene(), (640, 512), interpolation=cv2.INTER_CUBIC)
    truth[76:436, 610:630] = np.linspace(255, 0, 360)[:, None]
    for shown, turned in ((truth, name), (255 - truth, f"inverted {name}")):
        rgb = curve(name)[shown]
        cv2.rectangle(rgb, (609, 75), (630, 436), (255, 255, 255), 1)
        assert infrared_from_bytes(jpeg(rgb), Path("a.jpg")).palette == turned


def test_a_scene_that_changes_evenly_is_no_scale() -> None:
    ramp = np.tile(np.linspace(255, 0, 256)[:, None], (1, 320)).astype(np.uint8)
    assert read_picture(grey_curve()[ramp]).marks is None


def test_a_photograph_is_flagged() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    rgb = np.asarray(Image.fromarray(noise).resize((320, 256), Image.Resampling.BICUBIC))
    found = infrared_from_bytes(jpeg(rgb), Path("a.jpg"))
    assert found.palette == "none"
    assert "photograph" in str(found.reason)


def test_a_colour_tiff_and_a_png_are_read_by_their_palette() -> None:
    truth = scene()
    for kind in ("TIFF", "PNG"):
        out = io.BytesIO()
        Image.fromarray(curve("jet")[truth]).save(out, kind)
        found = infrared_from_bytes(out.getvalue(), Path("a"))
        assert found.palette == "jet"
        assert np.abs(found.values - truth.astype(np.float32)).max() < 8


def test_examination_accepts_what_is_read() -> None:
    truth = scene()
    for name in (*MONOTONE, *BENT):
        held = examine_infrared(saved(curve(name), truth), Path("a.jpg"))
        assert (held.width_px, held.height_px, held.radiometric) == (320, 256, False)
