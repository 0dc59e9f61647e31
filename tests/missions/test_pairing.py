"""Every image is in one pair or named with the reason why not."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dd_livm_core.errors import InputError
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.missions.pairing_by_time import pair_by_time
from tests import drone_files as made


def image(folder: Path, name: str, seed: int, at: str | None = None) -> Path:
    return made.put(folder / name, made.jpeg(made.picture(seed), at=at))


@pytest.mark.parametrize("mark", ["V", "W", "Z"])
def test_dji_names_are_paired_in_one_folder(tmp_path: Path, mark: str) -> None:
    image(tmp_path, "DJI_0001_T.JPG", 0)
    image(tmp_path, f"DJI_0001_{mark}.JPG", 1)
    (pair,) = pair_folder(tmp_path).pairs
    assert (pair.pair_id, pair.infrared.name, pair.paired_by) == (
        "DJI_0001",
        "DJI_0001_T.JPG",
        "name",
    )


def test_wide_is_taken_before_zoom_and_zoom_is_named(tmp_path: Path) -> None:
    for seed, mark in enumerate("TWZ"):
        image(tmp_path, f"DJI_0001_{mark}.JPG", seed)
    report = pair_folder(tmp_path)
    assert report.pairs[0].visible.name == "DJI_0001_W.JPG"
    assert [path.name for path, _ in report.single] == ["DJI_0001_Z.JPG"]


def test_split_folders_keep_flights_apart(tmp_path: Path) -> None:
    for number, suffix in enumerate(("", "_south11")):
        image(tmp_path, f"T{suffix}/DJI_1_T.JPG", 2 * number)
        image(tmp_path, f"V{suffix}/DJI_1_V.JPG", 2 * number + 1)
    assert [pair.pair_id for pair in pair_folder(tmp_path).pairs] == ["DJI_1", "south11_DJI_1"]


def test_files_of_other_names_are_paired_by_time(tmp_path: Path) -> None:
    """XT2: the two files of one exposure carry consecutive numbers."""
    for n in range(4):
        image(tmp_path, f"thermal/DJI_{2 * n:04d}.JPG", 2 * n, f"2024:06:01 12:00:{3 * n:02d}")
        image(
            tmp_path, f"rgb/DJI_{2 * n + 1:04d}.JPG", 2 * n + 1, f"2024:06:01 12:00:{3 * n + 1:02d}"
        )
    pairs = pair_folder(tmp_path).pairs
    numbers = [(int(p.infrared.stem[-4:]), int(p.visible.stem[-4:])) for p in pairs]
    assert numbers == [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert {p.paired_by for p in pairs} == {"time"}


@given(st.lists(st.integers(0, 200), max_size=12), st.lists(st.integers(0, 200), max_size=12))
def test_only_each_other_s_nearest_are_paired(infrared: list[int], visible: list[int]) -> None:
    """Against trying all pairs."""
    times = {
        **{Path(f"a{n}"): half for n, half in enumerate(infrared)},
        **{Path(f"b{n}"): half for n, half in enumerate(visible)},
    }
    a, b = ([path for path in times if path.name[0] == side] for side in "ab")

    def apart(one: Path, other: Path) -> float:
        return abs(times[one] - times[other]) / 2

    expected = {
        (x, y)
        for x in a
        for y in b
        if apart(x, y) <= 2
        and all(apart(x, z) > apart(x, y) for z in b if z != y)
        and all(apart(z, y) > apart(x, y) for z in a if z != x)
    }
    start = datetime(2024, 6, 1)
    found = pair_by_time(a, b, time_of=lambda path: start + timedelta(seconds=times[path] / 2))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_five_thousand_pairs_are_found_by_time() -> None:
    infrared, visible = ([Path(f"{side}{n}") for n in range(5000)] for side in "ab")
    start = datetime(2024, 6, 1)

    def time_of(path: Path) -> datetime:
        return start + timedelta(seconds=2 * int(path.name[1:]) + (path.name[0] == "b") * 0.4)

    assert pair_by_time(infrared, visible, time_of=time_of) == list(
        zip(infrared, visible, strict=True)
    )


def test_times_too_far_apart_pair_nothing(tmp_path: Path) -> None:
    image(tmp_path, "thermal/a.JPG", 0, "2024:06:01 12:00:00")
    image(tmp_path, "rgb/b.JPG", 1, "2024:06:01 12:00:09")
    report = pair_folder(tmp_path)
    assert not report.pairs
    assert len(report.single) == 2


def test_pairing_by_order_only_when_both_sides_are_equally_many(tmp_path: Path) -> None:
    for n in range(3):
        image(tmp_path, f"thermal/ir{n}.JPG", 2 * n)
        image(tmp_path, f"rgb/photo{n}.JPG", 2 * n + 1)
    assert [
        (p.infrared.name, p.visible.name, p.paired_by) for p in pair_folder(tmp_path).pairs
    ] == [(f"ir{n}.JPG", f"photo{n}.JPG", "order") for n in range(3)]
    (tmp_path / "rgb/photo1.JPG").unlink()
    assert not [pair for pair in pair_folder(tmp_path).pairs if pair.visible]


def test_two_infrared_images_of_one_name_are_alone_and_the_visible_one_is_named(
    tmp_path: Path,
) -> None:
    image(tmp_path, "DJI_0001_T.JPG", 0)
    image(tmp_path, "DJI_0001_R.JPG", 1)
    image(tmp_path, "DJI_0001_V.JPG", 2)
    report = pair_folder(tmp_path)
    assert [(p.pair_id, p.visible) for p in report.pairs] == [
        ("DJI_0001_R", None),
        ("DJI_0001_T", None),
    ]
    ((path, why),) = report.single
    assert (path.name, "share the name" in why) == ("DJI_0001_V.JPG", True)


def test_the_nearer_name_decides_and_ids_stay_apart(tmp_path: Path) -> None:
    for seed, name in enumerate(("DJI 0001_T", "DJI-0001_T", "DJI-0001_V")):
        image(tmp_path, f"{name}.JPG", seed)
    report = pair_folder(tmp_path)
    pair, alone = report.pairs
    assert (pair.pair_id, pair.infrared.name) == ("DJI-0001", "DJI-0001_T.JPG")
    assert (alone.infrared.name, alone.visible) == ("DJI 0001_T.JPG", None)
    assert alone.pair_id != pair.pair_id
    image(tmp_path, "DJI 0001_V.JPG", 3)
    assert len({pair.pair_id for pair in pair_folder(tmp_path).pairs}) == 2


def test_a_pair_of_the_same_content_is_taken_once(tmp_path: Path) -> None:
    for number in (1, 2):
        image(tmp_path, f"DJI_000{number}_T.JPG", 0)
        image(tmp_path, f"DJI_000{number}_V.JPG", number)
    report = pair_folder(tmp_path)
    assert len(report.pairs) == 1
    assert [(path.name, why) for path, why in report.single] == [
        ("DJI_0002_T.JPG", "the same content as DJI_0001_T.JPG")
    ]


@pytest.mark.parametrize("stem", ["süd 1", "a;rm -rf", "..hidden", "x" * 150, "%2e%2e", "名前"])
def test_odd_names_become_safe_ids(tmp_path: Path, stem: str) -> None:
    image(tmp_path, f"{stem}_T.JPG", 0)
    image(tmp_path, f"{stem}_V.JPG", 1)
    (pair,) = pair_folder(tmp_path).pairs
    assert pair.pair_id[0].isalnum()
    assert len(pair.pair_id) <= 64
    assert not set(pair.pair_id) - set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
    )


def test_files_that_computers_leave_beside_images_take_no_pair_away(tmp_path: Path) -> None:
    for name in ("DJI_1_T.JPG", "DJI_1_V.JPG", "._DJI_1_T.JPG", ".Trash/DJI_1_T.JPG"):
        made.put(tmp_path / name, name.encode())
    report = pair_folder(tmp_path)
    assert [pair.infrared.name for pair in report.pairs] == ["DJI_1_T.JPG"]
    assert [why for _, why in report.single] == 2 * [
        "a hidden file, as computers leave beside images"
    ]


def test_names_of_early_h20t_firmware_are_paired(tmp_path: Path) -> None:
    for mark in ("THRM", "WIDE", "ZOOM"):
        made.put(tmp_path / f"DJI_0001_{mark}.JPG", mark.encode())
    report = pair_folder(tmp_path)
    assert [(p.infrared.name, p.visible.name) for p in report.pairs] == [
        ("DJI_0001_THRM.JPG", "DJI_0001_WIDE.JPG")
    ]
    assert [path.name for path, _ in report.single] == ["DJI_0001_ZOOM.JPG"]


def test_unmarked_names_are_visible_where_only_infrared_is_marked(tmp_path: Path) -> None:
    for name in ("DJI_1.JPG", "DJI_1_R.JPG"):
        made.put(tmp_path / name, name.encode())
    (pair,) = pair_folder(tmp_path).pairs
    assert (pair.infrared.name, pair.visible.name) == ("DJI_1_R.JPG", "DJI_1.JPG")
    made.put(tmp_path / "DJI_1_V.JPG", b"another")
    report = pair_folder(tmp_path)
    assert [pair.visible.name for pair in report.pairs] == ["DJI_1_V.JPG"]
    assert [path.name for path, _ in report.single] == ["DJI_1.JPG"]


def test_a_path_that_leaves_the_root_is_not_followed(tmp_path: Path) -> None:
    outside = image(tmp_path / "outside", "secret.JPG", 0)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/DJI_0001_T.JPG").symlink_to(outside)
    image(tmp_path / "in", "DJI_0001_V.JPG", 1)
    report = pair_folder(tmp_path / "in")
    assert not report.pairs
    assert [p.name for p, why in report.single if "a link that leaves the folder" in why] == [
        "DJI_0001_T.JPG"
    ]


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        pair_folder(tmp_path / "none")


@pytest.mark.real_data
def test_the_real_mission_is_109_pairs(real_data: Path) -> None:
    report = pair_folder(real_data / "pv_pairs")
    assert (len(report.pairs), report.single) == (109, ())
