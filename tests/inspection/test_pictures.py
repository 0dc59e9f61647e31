"""Pictures: panels are coloured, all else is dark grey, boxes are drawn on both images."""

import numpy as np

from dd_livm_core.inspection.pictures import OFF_PANELS, detection_picture, infrared_picture


def test_only_panels_are_coloured_and_their_hottest_is_brightest() -> None:
    excess = np.zeros((40, 60), np.float16)
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:50] = True
    excess[mask] = np.tile(np.linspace(-1, 1, 40), 20)
    excess[15:20, 20:25] = 12
    excess[12, 12] = np.nan
    picture = infrared_picture(excess, mask)
    assert (picture[~mask] == OFF_PANELS).all()
    assert (picture[12, 12] == OFF_PANELS).all()
    light = picture.sum(axis=2)
    assert light[17, 22] > light[mask].mean() + 200


def test_a_frame_without_panels_is_grey_all_over() -> None:
    picture = infrared_picture(np.ones((8, 8), np.float32), np.zeros((8, 8), bool))
    assert (picture == OFF_PANELS).all()


def test_boxes_are_drawn_on_both_images() -> None:
    blank = np.zeros((100, 120, 3), np.uint8)
    mask = np.ones((100, 120), bool)
    box = np.array([[40.0, 50.0, 70.0, 80.0]])
    picture = detection_picture(np.zeros((100, 120)), mask, blank, box, ["dust"], [0.8])
    assert picture.shape == (100, 240, 3)
    right = picture[:, 120:]
    assert right[50:80, 36:40].any()
    assert not right[55:75, 45:65].any()
