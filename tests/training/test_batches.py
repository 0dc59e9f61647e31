"""Seed, stage and epoch decide the batches, and augmentation keeps labels on their hotspots."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from dd_livm_core.aligned.store import read_aligned_mission, write_aligned_mission
from dd_livm_core.errors import InputError
from dd_livm_core.labels.boxes import xyxy_of_xywh
from dd_livm_core.labels.label import Label, lies_in_frame
from dd_livm_core.model.network_input import prepare
from dd_livm_core.training.augmentation import Augmentation
from dd_livm_core.training.batches import TrainingPairs, collate
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.examples import read_example
from tests.synthetic_store import HEIGHT, WIDTH, synthetic_pair, write_synthetic_store

CONFIG = TrainingConfig(
    input_width_px=WIDTH, input_height_px=HEIGHT, channels=8, batch_size=3, torch_threads=1
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of ten labelled pairs, two of them held out."""
    return write_synthetic_store(tmp_path_factory.mktemp("store"), count=10)


def test_an_epoch_made_twice_is_the_same(store: Path) -> None:
    for first, second in zip(
        TrainingPairs([store], CONFIG).batches(1, 4),
        TrainingPairs([store], CONFIG).batches(1, 4),
        strict=True,
    ):
        assert torch.equal(first.infrared, second.infrared)
        assert torch.equal(first.visible, second.visible)
        assert all(torch.equal(a, b) for a, b in zip(first.boxes, second.boxes, strict=True))


@pytest.mark.parametrize("other", [(1, 5), (2, 4)])
def test_another_epoch_or_stage_is_another_draw(store: Path, other: tuple[int, int]) -> None:
    pairs = TrainingPairs([store], CONFIG)
    assert not torch.equal(next(pairs.batches(1, 4)).infrared, next(pairs.batches(*other)).infrared)


def test_each_training_pair_comes_once_and_held_out_ones_never(store: Path) -> None:
    pairs = TrainingPairs([store], CONFIG)
    assert sorted(row for _, row in pairs.rows) == list(range(8))
    assert sum(len(batch.infrared) for batch in pairs.batches(1, 0)) == 8


EDGES = [-1.0, -0.9, -0.5, 0.0, 0.4, 0.5]
SIDES = [0.05, 0.4, 0.5, 0.9, 1.0, 1.5, 20.0]


@pytest.mark.parametrize("beyond", [False, True])
def test_augmentation_takes_every_box_that_the_contract_accepts(store: Path, beyond: bool) -> None:
    """Boxes that touch or cross the left and upper edge, or the right and lower one, by every small amount."""
    pairs = TrainingPairs([store], CONFIG.model_copy(update={"hotspot_augmentation": False}))
    augmentation, example = Augmentation(pairs.config), pairs.example(0)
    height, width = example.pixels.excess.shape[:2]
    accepted = []
    for start, side in product(EDGES, SIDES):
        x, y = (width - start - side, height - start - side) if beyond else (start, start)
        for box in ((x, 20.0, side, 9.0), (20.0, y, 9.0, side), (x, y, side, side)):
            if lies_in_frame(Label(box, "dust"), width, height):
                accepted.append(box)
    assert 30 < len(accepted) < 3 * len(EDGES) * len(SIDES)
    boxes = np.asarray(xyxy_of_xywh(accepted), np.float32)
    edged = replace(example, boxes=boxes, targets=np.zeros((len(boxes), 2), np.int64))
    kept = [len(augmentation(edged, [3, draw]).boxes) for draw in range(10)]
    assert max(kept) > len(boxes) / 4  # some draws shift one corner out of the frame


def test_augmented_boxes_stay_on_their_hotspots(store: Path) -> None:
    """Rotation widens boxes, so the hot share of a box falls, but it never loses the hotspot."""
    pairs = TrainingPairs([store], CONFIG.model_copy(update={"hotspot_augmentation": False}))
    augmentation = Augmentation(pairs.config)
    hot_shares = []
    for draw in range(40):
        example = augmentation(pairs.example(draw % 8), [9, draw])
        assert len(example.boxes) == len(example.targets)
        for x0, y0, x1, y1 in example.boxes.astype(int):
            box = example.pixels.excess[y0 : y1 + 1, x0 : x1 + 1]
            hot_shares.append(float((box > 4).mean()))
    assert len(hot_shares) > 40
    assert np.median(hot_shares) > 0.6
    assert min(hot_shares) > 0.15


def test_pairs_without_a_visible_image_change_no_batch(tmp_path: Path) -> None:
    made = [synthetic_pair(number, seed=2) for number in range(5)]
    labels = {pair.pair_id: of_pair for pair, of_pair in made}
    complete = [pair for pair, _ in made]
    write_aligned_mission(tmp_path / "complete", iter(complete), 5, labels)
    alone = replace(complete[0], pair_id="pair_001b", visible=None, matrix=None, status="failed")
    labels["pair_001b"] = made[0][1]
    mixed = [complete[0], alone, *complete[1:]]
    write_aligned_mission(tmp_path / "mixed", iter(mixed), 6, labels, with_visible=5)
    expected, found = (
        list(TrainingPairs([tmp_path / name], CONFIG).batches(3, 1))
        for name in ("complete", "mixed")
    )
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.visible, other.visible)
        assert torch.equal(one.infrared, other.infrared)


def test_pairs_without_defects_can_be_augmented(tmp_path: Path) -> None:
    made = [synthetic_pair(number, seed=2, defects=0)[0] for number in range(5)]
    write_aligned_mission(tmp_path, iter(made), 5, {pair.pair_id: [] for pair in made})
    batch = next(TrainingPairs([tmp_path], CONFIG).batches(1, 0))
    assert all(len(boxes) == 0 for boxes in batch.boxes)
    assert len(batch.classes) == 0


def test_the_augmentation_gets_the_weather_of_the_flight(tmp_path: Path) -> None:
    pair, labels = synthetic_pair(0, seed=2)
    cloudless = replace(pair, irradiance_w_m2=820.0, wind_m_s=2.5)
    write_aligned_mission(tmp_path, iter([cloudless]), 1, {pair.pair_id: labels})
    weather = read_example(read_aligned_mission(tmp_path), 0, CONFIG).weather
    assert weather["irradiance_w_m2"] == 820.0
    assert weather["wind_m_s"] == 2.5
    write_aligned_mission(tmp_path, iter([pair]), 1, {pair.pair_id: labels})
    weather = read_example(read_aligned_mission(tmp_path), 0, CONFIG).weather
    assert set(weather) == {"radiometric", "pv_module_width_px"}


def test_the_width_of_a_pv_module_follows_the_stored_grid(tmp_path: Path) -> None:
    first, labels = synthetic_pair(0, seed=2)
    twice = replace(
        synthetic_pair(1, seed=2)[0],
        infrared_excess=np.zeros((2 * HEIGHT, 2 * WIDTH), np.float32),
        panel_mask=np.ones((2 * HEIGHT, 2 * WIDTH), bool),
        visible=np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8),
        pv_module_width_px=48.0,
    )
    labelled = {first.pair_id: labels, twice.pair_id: labels}
    write_aligned_mission(tmp_path, iter([first, twice]), 2, labelled)
    mission = read_aligned_mission(tmp_path)
    widths = [read_example(mission, row, CONFIG).weather["pv_module_width_px"] for row in (0, 1)]
    assert widths == [24.0, 24.0]


def test_training_and_serving_see_the_same_tensors(tmp_path: Path) -> None:
    """Panel edges are set off the network's pixels, where averaging could differ."""
    pair, labels = synthetic_pair(0, seed=2)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for top in (5, 37, 66):
        mask[top : top + 21, 9:118] = True
    excess = np.where(mask, pair.infrared_excess, 0).astype(np.float32)
    ragged = replace(pair, panel_mask=mask, infrared_excess=excess)
    write_aligned_mission(tmp_path, iter([ragged]), 1, {pair.pair_id: labels})
    mission = read_aligned_mission(tmp_path)
    smaller = CONFIG.model_copy(update={"input_width_px": 96, "input_height_px": 80})
    batch = collate([read_example(mission, 0, smaller)])
    infrared, visible = prepare(
        mission.infrared_excess[0], mission.visible(0), mission.panel_mask[0], (96, 80)
    )
    assert np.array_equal(batch.infrared[0].numpy(), infrared)
    assert np.array_equal(batch.visible[0].numpy(), visible)


def test_augmentation_adds_no_noise_where_serving_has_none(store: Path) -> None:
    pairs = TrainingPairs([store], CONFIG)
    example = pairs.example(0)
    mask = np.zeros(example.pixels.panel_mask.shape, bool)
    mask[20:70, 20:90] = True
    masked = replace(example, pixels=replace(example.pixels, panel_mask=mask))
    infrared = collate([Augmentation(CONFIG)(masked, [1, 2])]).infrared[0].numpy()
    assert 0.05 < infrared[1].mean() < 0.95
    assert not infrared[0][infrared[1] == 0].any()


def test_the_site_s_pv_modules_give_a_pixel_its_size(tmp_path: Path) -> None:
    pair, labels = synthetic_pair(0, seed=2)
    declared = replace(pair, pv_module_m=(1.2, 2.4))
    write_aligned_mission(tmp_path, iter([declared]), 1, {pair.pair_id: labels})
    weather = read_example(read_aligned_mission(tmp_path), 0, CONFIG).weather
    assert weather["pixel_m"] == pytest.approx(1.2 / 24)
    assert weather["pv_module_height_px"] == pytest.approx(48)


def test_a_store_without_labels_is_refused(tmp_path: Path) -> None:
    made = [synthetic_pair(number, seed=2)[0] for number in range(3)]
    write_aligned_mission(tmp_path, iter(made), 3, {})
    with pytest.raises(InputError, match="labelled pairs"):
        TrainingPairs([tmp_path], CONFIG)
