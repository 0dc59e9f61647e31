"""Missions of real pairs under another rig: the scale is found although rows look alike at others."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.registration.candidates import PairView, estimate_rig

PLAIN_SCALE = 0.99
"""Of the pairs as they are: their author brought the visible frames onto the infrared grid, nearly."""
SCALE, TURN_DEG = 0.813, -1.6
"""Laid on the visible frames. Without rotations in its first pass, the search took 0.92 here."""


def read_warped(pair: PairFiles) -> PairView:
    """Read a pair, its visible image under another rig, its infrared image cropped."""
    turned = cv2.getRotationMatrix2D((319.5, 255.5), -TURN_DEG, SCALE)
    turned[:, 2] += (-20.0, 15.0)
    visible = cv2.warpAffine(read_visible(pair.visible), turned, (640, 512))
    infrared = read_infrared(pair.infrared).values[34:417, 58:537]
    return PairView(pair.pair_id, infrared, np.asarray(visible, np.uint8), False)


@pytest.mark.real_data
def test_the_rig_of_a_short_real_mission_is_found(real_data: Path) -> None:
    pairs = [p for p in pair_folder(real_data / "pv_pairs").pairs if "south11" in p.pair_id]
    rig, probability = estimate_rig([read_warped(pair) for pair in pairs[::2]])
    assert rig.scale == pytest.approx(SCALE * PLAIN_SCALE, rel=0.006)
    assert rig.rotation_deg == pytest.approx(TURN_DEG, abs=0.4)
    assert probability > 0.95
