"""Holds the grids of one image, and carries boxes from the picture that was labelled to the pixels read, and back."""

from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.camera_files.dji import dji_counts, has_reader, holds_dji_counts
from dd_livm_core.camera_files.flir import flir_counts
from dd_livm_core.camera_files.images import (
    MIN_SIDE_PX,
    TIFF_STARTS,
    picture_size_px,
    read_bytes,
    upright_pixels,
)
from dd_livm_core.camera_files.orientation import orientation_of, turn_upright, upright_size_px
from dd_livm_core.camera_files.raster_offset import Shift, find_raster_offset

Size = tuple[float, float]
"""(width, height)."""
Box = tuple[float, float, float, float]
"""x, y, width, height."""


@dataclass(frozen=True)
class ImageFrame:
    """The two grids of one image file, upright.

    Attributes
    ----------
    picture_px
        (width, height) of the picture as viewers and labelling tools show it.
    raster_px
        (width, height) of the pixels as the product reads them: of a radiometric file the sensor's raster, which
        may be coarser than the picture. Boxes are kept in its pixels.
    offset_px
        How far right and down on the picture things lie of where the raster has them, in raster pixels: some cameras
        save the two of different moments. None where that could not be found; it counts as none then.
    """

    picture_px: tuple[int, int]
    raster_px: tuple[int, int]
    offset_px: Shift | None = (0.0, 0.0)

    def scale_from(self, stated_px: Size | None) -> Size:
        """Return the factors (x, y) from pixels of a labelled image to pixels of the raster.

        Parameters
        ----------
        stated_px
            (width, height) that the label file states; None where it states none, which is the picture.

        Raises
        ------
        ValueError
            An image of that size cannot show the whole frame; the message says what was expected and found.
        """
        stated = stated_px or self.picture_px
        if stated == self.raster_px:
            return 1.0, 1.0
        if min(stated) < MIN_SIDE_PX or not _same_shape(stated, self.picture_px):
            raise ValueError(self._complaint(stated))
        if not _same_shape(self.raster_px, self.picture_px):
            raise ValueError(
                f"expected a picture of the raster's shape {_text(self.raster_px)}, "
                f"found {_text(self.picture_px)}: where the one lies in the other is not known"
            )
        return self.raster_px[0] / stated[0], self.raster_px[1] / stated[1]

    def offset_from(self, stated_px: Size | None) -> Shift:
        """Return how far right and down things lie on the labelled image of where the raster has them, in its pixels.

        Parameters
        ----------
        stated_px
            As of `scale_from`. An image of the raster's size is the raster itself where the picture has another size.
        """
        if (
            self.offset_px is None
            or self.raster_px == (stated_px or self.picture_px) != self.picture_px
        ):
            return 0.0, 0.0
        return self.offset_px

    @property
    def remark(self) -> str | None:
        """Return what a person should know of the raster's place on the picture, or None."""
        if self.offset_px is None:
            return "the raster's place on the shown picture could not be found: labels were taken as if it lay right"
        if self.offset_px == (0.0, 0.0):
            return None
        right, down = self.offset_px
        return (
            f"the shown picture has things {right:.1f} px right and {down:.1f} px down of where the raster has them: "
            "taken out"
        )

    @property
    def drawn_px(self) -> tuple[int, int]:
        """Return (width, height) of the image that boxes are drawn on: the picture, where it has the raster's shape."""
        same = _same_shape(self.raster_px, self.picture_px)
        return self.picture_px if same else self.raster_px

    def draw_box(self, box_xywh_px: Box) -> Box:
        """Return a box of the raster's pixels in pixels of the image of `drawn_px`."""
        across, down = self.scale_from(self.drawn_px)
        right, below = self.offset_from(self.drawn_px)
        x, y, width, height = box_xywh_px
        return (x + right) / across, (y + below) / down, width / across, height / down

    def _complaint(self, stated: Size) -> str:
        """Return why an image of the stated size cannot be this picture."""
        said = f"expected the size of the picture, {_text(self.picture_px)}, or of its shape"
        if min(stated) >= MIN_SIDE_PX and _same_shape(stated[::-1], self.picture_px):
            turned = "its height by its width, as before EXIF turns it upright"
            return f"{said}, found {_text(stated)}: {turned}"
        return f"{said}, found {_text(stated)}"


def _same_shape(size: Size, other: Size) -> bool:
    """Return whether one size is the other enlarged or reduced, up to rounding to whole pixels."""
    return abs(size[0] * other[1] - size[1] * other[0]) <= (other[0] + other[1]) / 2


def _text(size: Size) -> str:
    """Return a size as words."""
    return f"{size[0]:g} x {size[1]:g} px"


def read_infrared_frame(path: Path) -> ImageFrame:
    """Return the sizes of an infrared image's picture and raster, and the offset between the two.

    Sizes come from headers; of a radiometric JPEG pixels are read, too, as its two may be of different moments. DJI's
    R-JPEG counts as one where the machine has a reader of its temperatures, else it is a picture.

    Raises
    ------
    InputError
        It is no image, or its embedded raster is broken.
    """
    content = read_bytes(path)
    picture_px = picture_size_px(content, path)
    if content[:4] in TIFF_STARTS:
        return ImageFrame(picture_px, picture_px)
    orientation = orientation_of(content)
    counts = flir_counts(content, path)
    if counts is None and has_reader() and holds_dji_counts(content):
        counts = dji_counts(content, upright_size_px(picture_px, orientation), path)
    if counts is None:
        return ImageFrame(picture_px, picture_px)
    raster = turn_upright(counts, orientation)
    raster_px = (raster.shape[1], raster.shape[0])
    if not _same_shape(raster_px, picture_px):
        return ImageFrame(picture_px, raster_px)
    offset_px = find_raster_offset(raster, upright_pixels(content, path))
    return ImageFrame(picture_px, raster_px, offset_px)


def read_visible_frame(path: Path) -> ImageFrame:
    """Return the sizes of a visible image, whose pixels are those of its picture.

    Raises
    ------
    InputError
        It is no image.
    """
    size_px = picture_size_px(read_bytes(path), path)
    return ImageFrame(size_px, size_px)
