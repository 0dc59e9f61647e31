"""Raster layers that stay the same during a mission: drawn in blocks where cameras look, once each."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from dd_livm_core.fleet.raster.raster import Window

BLOCK_PX = 256
"""Chosen: small enough that little is drawn beyond a frame; `python -m benchmarks.fleet` times rendering."""
Layer = NDArray[Any]
Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """Keeps the ``most`` values that were used last.

    ``functools.lru_cache`` on a method would hold a reference to the object; without one a mission's
    memory is freed as soon as the mission is dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, and make it first if it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return self._kept[key]


def block_windows(outline_px: NDArray[np.float64], margin_px: float) -> list[Window]:
    """Return the blocks of the raster, `BLOCK_PX` wide, that a convex outline and its margin touch.

    Parameters
    ----------
    outline_px
        (n, 2): corners in raster pixels, in any order.
    margin_px
        In raster pixels.
    """
    hull = np.asarray(cv2.convexHull(outline_px.astype(np.float32))).reshape(-1, 2)
    first = np.floor((hull.min(axis=0) - margin_px) / BLOCK_PX).astype(int)
    last = np.floor((hull.max(axis=0) + margin_px) / BLOCK_PX).astype(int)
    y, x = np.mgrid[first[1] : last[1] + 1, first[0] : last[0] + 1]
    centre = (np.stack([x.ravel(), y.ravel()], axis=-1) + 0.5) * BLOCK_PX
    # Two convex shapes are apart where a side of one separates them.
    normals = (np.roll(hull, -1, axis=0) - hull)[:, ::-1] * (1, -1)
    along, reach = hull @ normals.T, BLOCK_PX / 2 + margin_px
    middle, half = centre @ normals.T, reach * np.abs(normals).sum(axis=1)
    near = (middle - half <= along.max(axis=0)) & (middle + half >= along.min(axis=0))
    corners = (centre[near.all(axis=1)] - BLOCK_PX / 2).astype(int)
    return [Window(int(left), int(top), BLOCK_PX, BLOCK_PX) for left, top in corners]


class Mosaic:
    """Raster layers that are put together from blocks and drawn where they are read.

    Parameters
    ----------
    layers
        (dtype, shape beyond rows and columns) of each layer.
    most_blocks
        How many blocks are kept; the others are drawn again when needed.
    """

    def __init__(
        self, layers: Sequence[tuple[DTypeLike, tuple[int, ...]]], most_blocks: int
    ) -> None:
        self._layers = layers
        self._blocks: LruCache[Sequence[Layer | None]] = LruCache(most_blocks)

    def read(
        self, window: Window, outline_px: NDArray[np.float64], margin_px: float,
        draw: Callable[[Window], Sequence[Layer | None]],
    ) -> list[Layer | None]:  # fmt: skip
        """Return the layers of a window, (h, w, ...) each; zero beyond the blocks that the outline touches.

        Parameters
        ----------
        window
            Part of the raster.
        outline_px
            (n, 2): convex outline of what is needed, in raster pixels.
        margin_px
            How far around the outline layers are needed, in raster pixels.
        draw
            Returns the layers of one block; None for a layer that is zero in it. A layer that is None
            in all blocks is None in the result.
        """
        found: list[Layer | None] = [None] * len(self._layers)
        for block in block_windows(outline_px, margin_px):
            parts = self._blocks.get((block.x, block.y), partial(draw, block))
            x0, y0 = max(block.x, window.x), max(block.y, window.y)
            x1 = min(block.x + block.width, window.x + window.width)
            y1 = min(block.y + block.height, window.y + window.height)
            if x0 >= x1 or y0 >= y1:
                continue
            source = np.s_[y0 - block.y : y1 - block.y, x0 - block.x : x1 - block.x]
            target = np.s_[y0 - window.y : y1 - window.y, x0 - window.x : x1 - window.x]
            for number, part in enumerate(parts):
                if part is not None:
                    canvas = found[number]
                    if canvas is None:
                        dtype, more = self._layers[number]
                        canvas = np.zeros((window.height, window.width, *more), dtype)
                        found[number] = canvas
                    canvas[target] = part[source]
        return found
