"""Windows of a station's raster, and putting tiles onto them."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Slices = tuple[slice, slice]


@dataclass(frozen=True)
class Window:
    """A part of the raster, in raster pixels: ``x`` and ``y`` are its first column and row."""

    x: int
    y: int
    width: int
    height: int

    @property
    def origin(self) -> NDArray[np.int32]:
        """Return the first column and row, (2,) int32."""
        return np.array([self.x, self.y], np.int32)

    def grow(self, margin_px: int) -> "Window":
        """Return the window with a margin on all sides."""
        grown = 2 * margin_px
        return Window(
            self.x - margin_px, self.y - margin_px, self.width + grown, self.height + grown
        )

    def touches(self, boxes: NDArray[np.int32], reach_px: float = 0) -> NDArray[np.bool_]:
        """Tell which boxes (n, 4: left, top, right, bottom) lie within reach of the window, (n,) bool."""
        near = (boxes[:, 0] - reach_px < self.x + self.width) & (boxes[:, 2] + reach_px > self.x)
        near &= (boxes[:, 1] - reach_px < self.y + self.height) & (boxes[:, 3] + reach_px > self.y)
        return np.asarray(near)


def overlap(
    canvas: tuple[int, ...], tile: tuple[int, ...], corner: NDArray[np.int32], window: Window
) -> tuple[Slices, Slices] | tuple[None, None]:
    """Return the part of the canvas that a tile covers, and the same part of the tile; None twice where they miss.

    Parameters
    ----------
    canvas, tile
        Their shapes; rows and columns come first.
    corner
        (2,): column and row of the tile's upper left corner on the raster.
    window
        What the canvas shows of the raster.
    """
    x, y = int(corner[0]) - window.x, int(corner[1]) - window.y
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + tile[1], canvas[1]), min(y + tile[0], canvas[0])
    if x0 >= x1 or y0 >= y1:
        return None, None
    return np.s_[y0:y1, x0:x1], np.s_[y0 - y : y1 - y, x0 - x : x1 - x]


def paste(
    canvas: NDArray[Any], tile: NDArray[Any], corner: NDArray[np.int32], window: Window
) -> None:
    """Put a tile onto the canvas of a window, in place; arguments as of `overlap`."""
    target, source = overlap(canvas.shape, tile.shape, corner, window)
    if target is not None:
        canvas[target] = tile[source]


def blend(
    image: NDArray[np.uint8], paint: NDArray[np.uint8], corner: NDArray[np.int32], window: Window
) -> None:
    """Lay paint (h, w, 4: colour and opacity) over the image (h, w, 3) of a window, in place."""
    target, source = overlap(image.shape, paint.shape, corner, window)
    if target is not None:
        part = paint[source].astype(np.float32)
        alpha = part[..., 3:] / 255
        image[target] = image[target] * (1 - alpha) + part[..., :3] * alpha


def to_byte(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return shares 0..1 as 0..255, rounded and clipped."""
    return np.asarray(np.clip(share * 255 + np.float32(0.5), 0, 255), dtype=np.uint8)


def mix(
    first: NDArray[np.uint8], second: NDArray[np.uint8], share: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the mixture of two pictures (h, w, 3); ``share`` of the second is (h, w), 0..255."""
    weight = cv2.merge([share] * 3)
    rest = cv2.multiply(first, cv2.bitwise_not(weight), scale=1 / 255)
    return np.asarray(cv2.add(rest, cv2.multiply(second, weight, scale=1 / 255)), dtype=np.uint8)


def cut_periodic(tile: NDArray[Any], window: Window) -> NDArray[Any]:
    """Return a window of the raster that a tile (h, w, ...) fills periodically; it may share the tile's memory."""
    y, x = window.y % tile.shape[0], window.x % tile.shape[1]
    if y + window.height <= tile.shape[0] and x + window.width <= tile.shape[1]:
        return tile[y : y + window.height, x : x + window.width]
    rows = (np.arange(window.height) + window.y) % tile.shape[0]
    columns = (np.arange(window.width) + window.x) % tile.shape[1]
    cut: NDArray[Any] = np.take(np.take(tile, rows, axis=0), columns, axis=1)
    return cut
