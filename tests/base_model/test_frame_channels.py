"""The base model's input does not know the camera's unit or gain."""

import numpy as np
import pytest

from dd_livm_core.base_model.frame_channels import frame_channels
from tests.base_model.made_frames import made_frame


@pytest.mark.parametrize(("gain", "offset"), [(0.1, -40.0), (8.0, 300.0)])
def test_gain_and_offset_of_the_values_change_nothing(gain: float, offset: float) -> None:
    values = made_frame().values
    changed = frame_channels((gain * values + offset).astype(np.float32))
    assert np.allclose(changed, frame_channels(values), atol=0.02)


def test_a_hot_cell_stands_out_in_both_contrasts() -> None:
    _, wide, fine = frame_channels(made_frame().values)
    assert wide[54, 64] > 1.5
    assert fine[54, 64] > 1
    assert abs(float(np.median(wide))) < 0.3


def test_a_constant_frame_is_quiet() -> None:
    assert np.abs(frame_channels(np.full((64, 64), 20, np.float32))).max() < 0.1
