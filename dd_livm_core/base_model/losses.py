"""Losses of the base model's maps, over a batch."""

import torch
from torch import Tensor
from torch.nn import functional

from dd_livm_core.base_model.network import DenseMaps

_LEAST_CENTRES, _LEAST_PIXELS = 4.0, 100.0
"""A batch with fewer is divided by these, so that a lone hotspot does not outweigh all else. Chosen."""
_EPSILON = 1e-5
HOT_WEIGHT, MODULE_WEIGHT = 3.0, 3.0
"""Of hot pixels against others, as they are few; of the PV module's size against the other losses. Chosen."""


def base_loss(maps: DenseMaps, targets: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the losses by name; training lessens their sum.

    Parameters
    ----------
    targets
        The fields of `DenseTargets`, each stacked over the batch.
    """
    weight = targets["hotspot_weight"]
    hot = functional.binary_cross_entropy_with_logits(
        maps.hot, targets["hot"], reduction="none", pos_weight=maps.hot.new_tensor(HOT_WEIGHT)
    )
    return {
        "panel": _panel_loss(maps.panel, targets["panel"], targets["panel_weight"]),
        "centre": _centre_loss(maps.centre, targets["centre"], weight),
        "sides": _sides_loss(maps, targets["log_sides"], targets["sides_weight"]),
        "hot": (hot * weight).sum() / weight.sum().clamp(min=_LEAST_PIXELS),
        "module": MODULE_WEIGHT * _module_loss(maps.log_module, targets),
    }


def _panel_loss(logits: Tensor, panel: Tensor, weight: Tensor) -> Tensor:
    """Return cross-entropy plus Dice's loss (Milletari et al., V-Net, 3DV 2016)."""
    crossed = functional.binary_cross_entropy_with_logits(logits, panel, reduction="none")
    share = torch.sigmoid(logits) * weight
    overlap = 2 * (share * panel).sum() + 1
    dice = 1 - overlap / (share.sum() + (panel * weight).sum() + 1)
    return (crossed * weight).sum() / weight.sum().clamp(min=1.0) + dice


def _centre_loss(logits: Tensor, bumps: Tensor, weight: Tensor) -> Tensor:
    """Return the focal loss of bumps (Zhou et al., Objects as Points, 2019)."""
    share = torch.sigmoid(logits).clamp(_EPSILON, 1 - _EPSILON)
    peak = (bumps == 1).float()
    found = peak * (1 - share) ** 2 * torch.log(share)
    missed = (1 - peak) * (1 - bumps) ** 4 * share**2 * torch.log(1 - share)
    return -((found + missed) * weight).sum() / peak.sum().clamp(min=_LEAST_CENTRES)


def _sides_loss(maps: DenseMaps, log_sides: Tensor, weight: Tensor) -> Tensor:
    """Return the smooth L1 loss of hotspots' sides near their centres."""
    sides = torch.stack([maps.log_width, maps.log_height], 1)
    off = functional.smooth_l1_loss(sides, log_sides, reduction="none", beta=0.2)
    return (off * weight[:, None]).sum() / weight.sum().clamp(min=10.0)


def _module_loss(log_module: Tensor, targets: dict[str, Tensor]) -> Tensor:
    """Return the smooth L1 loss of the PV module's size on panels, where it is known."""
    known = torch.isfinite(targets["log_module"])[:, None, None]
    on = targets["panel"] * targets["panel_weight"] * known
    wanted = torch.nan_to_num(targets["log_module"])[:, None, None].expand_as(log_module)
    off = functional.smooth_l1_loss(log_module, wanted, reduction="none", beta=0.1)
    return (off * on).sum() / on.sum().clamp(min=_LEAST_PIXELS)
