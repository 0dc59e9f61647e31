"""Augment training examples: heat, geometry, light and noise."""

import albumentations as A
import cv2
import numpy as np

from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.model.network_input import PairPixels
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.examples import Example

GAIN = (0.85, 1.15)
"""Factor on the excess, for what differs in emissivity, distance and the camera's calibration. Chosen."""
NOISE_K = 0.08
"""Standard deviation of the noise added to the excess: a little over that of cameras rated 50 mK. Chosen."""


class Augmentation:
    """Changes heat, geometry, light and noise of an example; every draw follows from the seed given with it.

    Ranges and probabilities are chosen, not measured.
    """

    def __init__(self, config: TrainingConfig) -> None:
        heat = [HotspotWeather(p=0.5)] if config.hotspot_augmentation else []
        self.both = A.Compose(
            [
                *heat,
                A.HorizontalFlip(p=0.5),
                A.VerticalFlip(p=0.5),
                # Scale stands for flight height, rotation and shear for heading and a gimbal not quite at nadir;
                # the shift keeps the network from learning where in a frame hotspots lie.
                A.Affine(
                    scale=(0.75, 1.3), rotate=(-20, 20), translate_percent=(-0.12, 0.12), shear=(-4, 4),
                    interpolation=cv2.INTER_LINEAR, p=0.8,
                ),
            ],
            # A label with less than half of its box in view is dropped: what is left may not show what it is.
            bbox_params=A.BboxParams(
                format="pascal_voc", label_fields=["targets"], clip=True, min_visibility=0.5, min_area=4
            ),
            additional_targets={"visible": "image", "panel_mask": "mask"},
        )  # fmt: skip
        # For light, white balance, lens and sensor of other cameras; hue moves little, as weeds stay green.
        self.visible_only = A.Compose(
            [
                A.RandomBrightnessContrast(0.25, 0.25, p=0.7),
                A.HueSaturationValue(12, 30, 0, p=0.6),
                A.RandomGamma((75, 135), p=0.4),
                A.GaussianBlur(blur_limit=(3, 5), p=0.2),
                A.GaussNoise(std_range=(0.01, 0.04), p=0.2),
            ]
        )

    def __call__(self, example: Example, seed: list[int]) -> Example:
        """Return an augmented copy; it may hold fewer labels.

        Parameters
        ----------
        seed
            Decides all draws: training seed, stage, epoch and pair.
        """
        draw = int(np.random.SeedSequence(seed).generate_state(1)[0] % 2**31)
        self.both.set_random_seed(draw)
        self.visible_only.set_random_seed(draw)
        changed = self.both(
            image=example.pixels.excess,
            visible=example.pixels.visible,
            panel_mask=example.pixels.panel_mask.astype(np.uint8),
            bboxes=example.boxes,
            targets=np.arange(len(example.boxes)),
            weather=example.weather,
        )
        noise = np.random.default_rng(seed)
        excess = changed["image"] * np.float32(noise.uniform(*GAIN))
        excess = excess + noise.normal(0, NOISE_K, excess.shape).astype(np.float32)
        kept = np.asarray(changed["targets"], int)
        return Example(
            PairPixels(
                excess.astype(np.float32),
                self.visible_only(image=changed["visible"])["image"],
                changed["panel_mask"] > 0,
            ),
            np.asarray(changed["bboxes"], np.float32).reshape(-1, 4),
            example.targets[kept].reshape(-1, 2),
            example.weather,
        )
