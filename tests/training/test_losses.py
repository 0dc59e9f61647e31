"""Losses where their value or their order is known."""

import pytest
import torch

from dd_livm_core.model.encoders import STRIDE
from dd_livm_core.training.losses import (
    centre_loss,
    centre_targets,
    generalised_iou,
    supervised_contrastive,
)


def test_contrast_is_lower_where_labels_cluster() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    together = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    mixed = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    assert supervised_contrastive(together, labels) < supervised_contrastive(mixed, labels)


def test_contrast_without_two_of_a_kind_is_zero() -> None:
    assert float(supervised_contrastive(torch.randn(3, 4), torch.tensor([0, 1, -1]))) == 0.0


@pytest.mark.parametrize("cell", range(4, 10))
@pytest.mark.parametrize("inside_px", [0.0, 1.0, 2.0, 3.5])
def test_the_centre_map_peaks_at_the_cell_that_holds_the_label_s_centre(
    cell: int, inside_px: float
) -> None:
    middle = cell * STRIDE + inside_px
    target = centre_targets([torch.tensor([[middle - 6, 30.0, middle + 6, 42.0]])], (20, 20))
    assert torch.nonzero(target[0, 0] == 1).tolist() == [[9, cell]]


def test_centres_outside_the_frame_peak_at_its_edge() -> None:
    target = centre_targets([torch.tensor([[-9.0, 78, 1, 90]])], (20, 20))
    assert torch.nonzero(target[0, 0] == 1).tolist() == [[19, 0]]


def test_a_certain_centre_costs_nothing() -> None:
    target = centre_targets([torch.tensor([[16.0, 32, 24, 40]])], (20, 20))
    sure = torch.where(target >= 0.999, 12.0, -12.0)
    assert float(centre_loss(sure, target)) == pytest.approx(0.0, abs=1e-3)


def test_generalised_iou_of_known_boxes() -> None:
    one = torch.tensor([[0.0, 0, 2, 2]])
    assert float(generalised_iou(one, one)[0]) == pytest.approx(1.0)
    apart = torch.tensor([[2.0, 0, 4, 2]])
    assert float(generalised_iou(one, apart)[0]) == pytest.approx(0.0, abs=1e-6)
    far = torch.tensor([[8.0, 0, 10, 2]])
    assert float(generalised_iou(one, far)[0]) == pytest.approx(-0.6)
