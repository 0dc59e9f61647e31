"""Draws over one PV module: colour and opacity, finer than the raster, with a border."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SUPER = 3
"""Drawn points per raster pixel and axis: edges are smooth after averaging."""

Place = tuple[float, float]
"""Right and down as shares of the PV module: (0, 0) is its upper left corner, (1, 1) its lower right one."""
Places = list[Place]


class Canvas:
    """Colour and opacity over a PV module and its surroundings.

    Drawing may go beyond the PV module, up to the border.

    Parameters
    ----------
    tile_px
        Width and height of the PV module on the raster.
    pad_px
        Width of the border around it, in raster pixels.
    """

    def __init__(self, tile_px: tuple[int, int], pad_px: int) -> None:
        self.tile_px, self.pad_px = tile_px, pad_px
        self.short = min(tile_px) * _SUPER
        self._size = (tile_px[0] + 2 * pad_px, tile_px[1] + 2 * pad_px)
        shape = (self._size[1] * _SUPER, self._size[0] * _SUPER)
        self.colour = np.zeros((*shape, 3), np.uint8)
        self.alpha = np.zeros(shape, np.uint8)

    def point(self, place: Place) -> tuple[int, int]:
        """Return the drawn point of a place."""
        (w, h), pad = self.tile_px, self.pad_px
        return int((pad + place[0] * w) * _SUPER), int((pad + place[1] * h) * _SUPER)

    def ellipse(
        self, place: Place, radii: tuple[float, float], turn_deg: float,
        rgb: NDArray[np.float64] | None = None,
    ) -> None:  # fmt: skip
        """Fill an ellipse, opaque; radii are shares of the PV module's short side, no ``rgb`` keeps the colour."""
        axes = (int(radii[0] * self.short) + 1, int(radii[1] * self.short) + 1)
        at = self.point(place)
        cv2.ellipse(self.alpha, at, axes, turn_deg, 0, 360, (255,), -1)
        if rgb is not None:
            fill = [int(v) for v in np.clip(rgb, 0, 255)]
            cv2.ellipse(self.colour, at, axes, turn_deg, 0, 360, fill, -1)

    def line(
        self, places: Places, opacity: int, width: int, closed: bool = False,
        rgb: NDArray[np.float64] | None = None,
    ) -> None:  # fmt: skip
        """Draw a line through places; opacity is 0..255, width is in drawn points, no ``rgb`` keeps the colour."""
        corners = np.array([self.point(place) for place in places], np.int32)
        cv2.polylines(self.alpha, [corners], closed, (opacity,), width)
        if rgb is not None:
            fill = [int(v) for v in np.clip(rgb, 0, 255)]
            cv2.polylines(self.colour, [corners], closed, fill, width)

    def clip_to_module(self) -> None:
        """Make all that lies beside the PV module transparent."""
        pad = self.pad_px * _SUPER
        kept = self.alpha[pad:-pad, pad:-pad].copy()
        self.alpha[:] = 0
        self.alpha[pad:-pad, pad:-pad] = kept

    def rows(self) -> NDArray[np.float64]:
        """Return how far down the PV module each row of drawn points lies, (h, 1); 0..1 inside."""
        y = (np.arange(self.alpha.shape[0]) + 0.5) / _SUPER - self.pad_px
        return np.asarray(y[:, None] / self.tile_px[1])

    def covered(self, cells: tuple[int, int]) -> NDArray[np.float64]:
        """Return how much of each cell (rows, columns) is covered, 0..1."""
        pad = self.pad_px * _SUPER
        inside = self.alpha[pad:-pad, pad:-pad].astype(np.float32) / 255
        share = cv2.resize(inside, cells[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(share, dtype=np.float64)

    def paint(self) -> NDArray[np.uint8]:
        """Return colour and opacity, averaged onto the raster: (h + 2 pad, w + 2 pad, 4) uint8."""
        alpha = self.alpha.astype(np.float32)
        layers = np.dstack([self.colour.astype(np.float32) * alpha[..., None], alpha])
        small = np.asarray(cv2.resize(layers, self._size, interpolation=cv2.INTER_AREA), np.float32)
        small[..., :3] /= np.maximum(small[..., 3:], np.float32(1e-3))
        return np.asarray(np.clip(small + 0.5, 0, 255), dtype=np.uint8)
