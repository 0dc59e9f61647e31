"""The heat equation where the sheet conductance changes from pixel to pixel: finite volumes, solved sparsely.

A pixel is one volume. What leaves it through a face enters its neighbour, so energy is kept to rounding.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import expm_multiply, splu

Field = NDArray[np.floating[Any]]


def conduction_matrix(conductance_w_k: NDArray[np.float64], pixel_m: float) -> csc_array:
    """Return −∇·K∇ of a sheet with insulated edges as a sparse matrix in W/(m²K).

    Parameters
    ----------
    conductance_w_k
        K: (H, W) float64. A face takes the harmonic mean of its two pixels.
    pixel_m
        Side of a pixel in metres.

    Returns
    -------
    (H·W, H·W), symmetric, with zero row sums.
    """
    height, width = conductance_w_k.shape
    index = np.arange(height * width).reshape(height, width)
    near = np.concatenate([index[:-1].ravel(), index[:, :-1].ravel()])
    far = np.concatenate([index[1:].ravel(), index[:, 1:].ravel()])
    k_near, k_far = conductance_w_k.ravel()[near], conductance_w_k.ravel()[far]
    total = k_near + k_far
    face = np.divide(2 * k_near * k_far, total, out=np.zeros_like(total), where=total > 0)
    face /= pixel_m**2
    off = coo_array(
        (np.r_[face, face], (np.r_[near, far], np.r_[far, near])), shape=(index.size,) * 2
    ).tocsc()
    return csc_array(diags_array(off.sum(axis=1), format="csc") - off)


def solve_steady(conduction: csc_array, loss_w_m2_k: float, right: Field) -> Field:
    """Solve (U − ∇·K∇) θ = ``right``, (H, W) float; return θ in its shape and precision."""
    matrix = csc_array(conduction + loss_w_m2_k * _identity(right.size))
    solution = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(right.ravel().astype(float))
    result: Field = solution.reshape(right.shape).astype(right.dtype, copy=False)
    return result


def relax(conduction: csc_array, loss_w_m2_k: float, departure: Field, scale: float) -> Field:
    """Return exp(−scale · (U − ∇·K∇)) applied to ``departure``, as (H, W) float64.

    ``scale`` is the elapsed time over the areal heat capacity, in s·m²K/J.
    """
    decay = -scale * (conduction + loss_w_m2_k * _identity(departure.size))
    left: Field = expm_multiply(decay, departure.ravel().astype(float)).reshape(departure.shape)
    return left


def _identity(size: int) -> csc_array:
    """Return the sparse unit matrix (size, size)."""
    return csc_array(diags_array(np.ones(size)))
