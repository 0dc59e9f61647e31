"""What a user would pick instead to register infrared to visible, each as its manual shows it.

Every rival gets one pair and the view ratio that EXIF tells, and returns the (3, 3) matrix from infrared to visible
pixels. All work on the visible image brought to the infrared size by that ratio, as a person would begin.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.rig import frame_centre

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]
Rival = Callable[[Grey, Grey], Floats | None]
"""From (infrared, visible on the same grid by EXIF) to the matrix that warps the first onto the second."""

ECC_ROUNDS = 60
FEATURES = 4000


def scaled_by(
    ratio: float, infrared_shape: tuple[int, ...], visible_shape: tuple[int, ...]
) -> Floats:
    """Return the matrix that puts the frames' centres together, at a scale of visible over infrared px."""
    matrix = np.diag([ratio, ratio, 1.0])
    matrix[:2, 2] = frame_centre(visible_shape) - ratio * frame_centre(infrared_shape)
    return matrix


def frames_coincide(infrared_shape: tuple[int, ...], visible_shape: tuple[int, ...]) -> Floats:
    """Return the matrix of no alignment: both frames taken as the same view."""
    return scaled_by(visible_shape[1] / infrared_shape[1], infrared_shape, visible_shape)


def stretched(image: NDArray[np.generic]) -> Grey:
    """Bring an image to 8 bits by its percentiles."""
    values = np.asarray(image, np.float32)
    low, high = np.percentile(values, (1, 99))
    return np.asarray(
        np.clip((values - low) / max(float(high - low), 1e-6) * 255, 0, 255), np.uint8
    )


def edges(image: Grey) -> NDArray[np.float32]:
    """Return the gradient's length, what both modalities share most plainly."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1.5).astype(np.float32)
    return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))


def phase_correlation(infrared: Grey, visible: Grey) -> Floats | None:
    """OpenCV's phase correlation of gradient lengths: offset only."""
    window = cv2.createHanningWindow(infrared.shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(edges(infrared), edges(visible), window)
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def ecc(infrared: Grey, visible: Grey) -> Floats | None:
    """OpenCV's enhanced correlation coefficient on gradient lengths, affine."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ECC_ROUNDS, 1e-5)
    warp = np.eye(2, 3, dtype=np.float32)
    try:
        _, warp = cv2.findTransformECC(
            edges(infrared), edges(visible), warp, cv2.MOTION_AFFINE, criteria, None, 5
        )
    except cv2.error:
        return None
    return np.vstack([warp, [0, 0, 1]]).astype(np.float64)


def sift(infrared: Grey, visible: Grey) -> Floats | None:
    """SIFT on grey, ratio test, RANSAC."""
    detector = cv2.SIFT_create(FEATURES)
    one, described = detector.detectAndCompute(infrared, None)
    other, described_other = detector.detectAndCompute(visible, None)
    if described is None or described_other is None or min(len(one), len(other)) < 4:
        return None
    matches = cv2.BFMatcher(cv2.NORM_L2).knnMatch(described, described_other, k=2)
    good = [m[0] for m in matches if len(m) == 2 and m[0].distance < 0.8 * m[1].distance]
    if len(good) < 4:
        return None
    source = np.array([one[m.queryIdx].pt for m in good])
    target = np.array([other[m.trainIdx].pt for m in good])
    matrix, _ = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=3.0)
    return None if matrix is None else np.vstack([matrix, [0, 0, 1]])


def sift_on_edges(infrared: Grey, visible: Grey) -> Floats | None:
    """SIFT on gradient lengths."""
    return sift(stretched(edges(infrared)), stretched(edges(visible)))


def mutual_information(infrared: Grey, visible: Grey) -> Floats | None:
    """SimpleITK's Mattes mutual information, similarity, three levels, as in its registration guide."""
    import SimpleITK as sitk  # noqa: N813

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    fixed, moving = (sitk.GetImageFromArray(i.astype(np.float32)) for i in (infrared, visible))
    start = sitk.CenteredTransformInitializer(
        fixed,
        moving,
        sitk.Similarity2DTransform(),
        sitk.CenteredTransformInitializerFilter.GEOMETRY,
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 150)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(start, inPlace=False)
    try:
        found = method.Execute(fixed, moving)
    except RuntimeError:
        return None
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    moved = np.array([found.TransformPoint(tuple(c)) for c in corners])
    matrix = np.eye(3)
    matrix[:2, :2] = np.column_stack([moved[1] - moved[0], moved[2] - moved[0]])
    matrix[:2, 2] = moved[0]
    return matrix


RIVALS: dict[str, Rival] = {
    "phase_correlation": phase_correlation,
    "ecc": ecc,
    "sift": sift,
    "sift_on_edges": sift_on_edges,
    "mutual_information": mutual_information,
}
