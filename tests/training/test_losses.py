"""Losses at points where their value is known."""

import pytest
import torch

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


def test_the_centre_map_peaks_at_the_label() -> None:
    target = centre_targets([torch.tensor([[16.0, 32, 24, 40]])], (20, 20))
    assert int((target == 1).sum()) == 1
    assert (
        target[0, 0, 8, 4] == 1
        or target[0, 0, 9, 5] == 1
        or target[0, 0, 8, 5] == 1
        or target[0, 0, 9, 4] == 1
    )


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
