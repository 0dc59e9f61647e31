"""The aligned store: what it keeps, what it scales, what it holds out."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dd_livm_core.aligned.store import (
    INFRARED_ONLY,
    held_out_rows,
    read_aligned_mission,
    write_aligned_mission,
)
from dd_livm_core.errors import InputError
from tests.synthetic_store import HEIGHT, WIDTH, synthetic_pair, write_synthetic_store


def test_the_store_gives_back_what_was_put_in(tmp_path: Path) -> None:
    pair, labels = synthetic_pair(3, seed=1)
    write_aligned_mission(tmp_path, iter([pair]), 1, {pair.pair_id: labels})
    store = read_aligned_mission(tmp_path)
    np.testing.assert_array_equal(store.infrared_excess[0], pair.infrared_excess.astype(np.float16))
    np.testing.assert_array_equal(store.panel_mask[0], pair.panel_mask)
    np.testing.assert_array_equal(store.visible(0), pair.visible)
    assert store.labels == {pair.pair_id: labels}
    assert isinstance(store.visible_images, np.memmap)


def test_a_pair_without_a_visible_image_takes_no_room_for_one(tmp_path: Path) -> None:
    made = [synthetic_pair(number, seed=1)[0] for number in range(4)]
    alone = replace(made[1], visible=None, matrix=None, status=INFRARED_ONLY)
    pairs = [made[0], alone, made[2], replace(alone, pair_id="later")]
    write_aligned_mission(tmp_path, iter(pairs), 4, {}, with_visible=2)
    store = read_aligned_mission(tmp_path)
    assert store.visible_images.shape[0] == 2
    assert [store.visible(row) is None for row in range(4)] == [False, True, False, True]
    np.testing.assert_array_equal(store.visible(2), made[2].visible)
    np.testing.assert_array_equal(store.infrared_excess[1], alone.infrared_excess.astype("f2"))
    assert store.index.loc[[1, 3], "matrix_00"].isna().all()


def test_a_mission_of_infrared_images_alone_is_stored(tmp_path: Path) -> None:
    alone = replace(synthetic_pair(0, seed=1)[0], visible=None, matrix=None, status=INFRARED_ONLY)
    write_aligned_mission(tmp_path, iter([alone]), 1, {}, with_visible=0)
    store = read_aligned_mission(tmp_path)
    assert (len(store.index), store.visible(0)) == (1, None)
    assert not (tmp_path / "visible.npy").exists()


def test_a_store_of_before_there_were_infrared_images_alone_is_read(tmp_path: Path) -> None:
    write_synthetic_store(tmp_path, count=3)
    index = pd.read_parquet(tmp_path / "index.parquet").drop(columns="visible_row")
    index.to_parquet(tmp_path / "index.parquet", index=False)
    store = read_aligned_mission(tmp_path)
    for row in range(3):
        np.testing.assert_array_equal(store.visible(row), store.visible_images[row])


def test_pairs_without_a_visible_image_change_nothing_of_what_is_held_out(tmp_path: Path) -> None:
    index = read_aligned_mission(write_synthetic_store(tmp_path, count=10)).index
    alone = index.head(5).assign(visible_row=pd.NA)
    alone["pair_id"] = ["a", "pair_001b", "pair_008b", "pair_009b", "z"]
    mixed = pd.concat([index, alone], ignore_index=True)
    assert held_out_rows(mixed).tolist() == [*held_out_rows(index).tolist(), *[False] * 5]


def test_a_pair_of_another_size_is_scaled_and_its_labels_stay_in_infrared_pixels(
    tmp_path: Path,
) -> None:
    first, labels = synthetic_pair(0, seed=1)
    second, _ = synthetic_pair(1, seed=1)
    twice = replace(
        second,
        infrared_excess=np.kron(second.infrared_excess, np.ones((2, 2), np.float32)),
        panel_mask=np.kron(second.panel_mask, np.ones((2, 2), bool)),
        visible=np.kron(second.visible, np.ones((2, 2, 1), np.uint8)),
    )
    write_aligned_mission(
        tmp_path, iter([first, twice]), 2, {first.pair_id: labels, second.pair_id: labels}
    )
    store = read_aligned_mission(tmp_path)
    assert store.infrared_excess.shape == (2, HEIGHT, WIDTH)
    np.testing.assert_allclose(store.infrared_excess[1], second.infrared_excess, atol=0.02)
    assert store.index["grid_scale"].tolist() == [1.0, 0.5]
    assert store.labels[second.pair_id] == labels


def test_unlabelled_is_not_the_same_as_without_defects(tmp_path: Path) -> None:
    pairs = [synthetic_pair(number, seed=1)[0] for number in range(2)]
    write_aligned_mission(tmp_path, iter(pairs), 2, {pairs[0].pair_id: []})
    store = read_aligned_mission(tmp_path)
    assert store.labels == {pairs[0].pair_id: []}


def test_the_last_fifth_of_a_flight_is_held_out(tmp_path: Path) -> None:
    store = read_aligned_mission(write_synthetic_store(tmp_path, count=10))
    assert held_out_rows(store.index).tolist() == [False] * 8 + [True] * 2
    shuffled = store.index.sample(frac=1, random_state=4)
    held = set(shuffled["pair_id"][held_out_rows(shuffled)])
    assert held == {"pair_008", "pair_009"}, "the flight decides, not the order of rows"


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="an aligned store"):
        read_aligned_mission(tmp_path)


@pytest.mark.parametrize("pair_id", ["DJI_0001", "DJI_0001.south", "flight.2"])
def test_labels_stay_with_their_pair_whatever_its_name(tmp_path: Path, pair_id: str) -> None:
    pair, labels = synthetic_pair(0, seed=1)
    named = replace(pair, pair_id=pair_id)
    write_aligned_mission(tmp_path, iter([named]), 1, {pair_id: labels})
    assert read_aligned_mission(tmp_path).labels == {pair_id: labels}


@pytest.mark.parametrize("name", ["infrared_excess.npy", "panel_mask.npy", "visible.npy"])
@pytest.mark.parametrize("damage", ["missing", "cut", "of fewer pairs"])
def test_a_damaged_store_is_named(tmp_path: Path, name: str, damage: str) -> None:
    path = write_synthetic_store(tmp_path, count=3) / name
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        np.save(path, np.load(path)[:2])
    with pytest.raises(InputError, match=name) as caught:
        read_aligned_mission(tmp_path)
    assert str(tmp_path) in str(caught.value)


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.synthetic_store import write_synthetic_store
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_synthetic_store(Path(sys.argv[1]), count=10)
except OSError as error:
    print("told:", error.strerror)
"""


def test_a_store_that_the_disk_has_no_room_for_is_told_and_does_not_kill(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("told:")
    assert not (tmp_path / "index.parquet").exists()
