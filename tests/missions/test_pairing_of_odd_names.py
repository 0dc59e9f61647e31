"""Names as pilots, browsers and other makers leave them: pairs are found, and nothing is skipped without a word."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dd_livm_core.missions.image_names import folder_modality, read_name
from dd_livm_core.missions.pairing import PairingReport, pair_folder
from tests import drone_files as made


def write(folder: Path, *names: str) -> PairingReport:
    """Write small files, each with its own name as content, and pair them: names decide."""
    for name in names:
        made.put(folder / name, name.encode())
    return pair_folder(folder)


def pairs_of(report: PairingReport) -> list[tuple[str, str]]:
    return [(pair.infrared.name, pair.visible.name) for pair in report.pairs]


@pytest.mark.parametrize(
    ("infrared", "visible"),
    [
        ("DJI_20240601100005_0001_T_Waypoint1.JPG", "DJI_20240601100005_0001_W_Waypoint1.JPG"),
        ("DJI_20240601100005_0001_T (1).JPG", "DJI_20240601100005_0001_V (1).JPG"),
        ("DJI_20240601100005_0001_T (1).JPG", "DJI_20240601100005_0001_V.JPG"),
        ("DJI_20240601100005_0001_T - Copy.JPG", "DJI_20240601100005_0001_V.JPG"),
        ("DJI_20240601100005_0001_T_row W.JPG", "DJI_20240601100005_0001_W_row W.JPG"),
        ("DJI_0001_T_block-V.JPG", "DJI_0001_V_block-V.JPG"),
        ("W-3_DJI_0001_T.JPG", "W-3_DJI_0001_V.JPG"),
        ("T-12_0001_T.JPG", "T-12_0001_V.JPG"),
        ("IRX_0001.JPG", "MAX_0001.JPG"),
        ("IMG_0001_TIR.tif", "IMG_0001_RGB.jpg"),
        ("flight_7_RAW_IR.tiff", "flight_7_RGB.jpg"),
        ("thermal_0001.jpg", "rgb_0001.jpg"),
        ("dji_0001_t.jpg", "DJI_0001_V.JPG"),
    ],
)
def test_marks_count_wherever_they_stand(tmp_path: Path, infrared: str, visible: str) -> None:
    report = write(tmp_path, infrared, visible)
    assert pairs_of(report) == [(infrared, visible)]
    assert (report.pairs[0].paired_by, report.single) == ("name", ())


@pytest.mark.parametrize("name", ["DJI_0001.JPG", "T.JPG", "thermal_rgb_x.jpg", "Site_T_north.jpg"])
def test_a_name_without_a_clear_mark_says_nothing(name: str) -> None:
    assert read_name(Path("/m") / name, Path("/m")).modality is None


@pytest.mark.parametrize("folder", ["T-12", "W-3", "thermal_rgb", "V1", "W", "IR_RGB", "V_T"])
def test_a_folder_s_name_does_not_overrule_the_files_marks(tmp_path: Path, folder: str) -> None:
    names = [f"{folder}/DJI_000{n}_{mark}.JPG" for n in (1, 2) for mark in "TV"]
    report = write(tmp_path, *names)
    assert pairs_of(report) == [(f"DJI_000{n}_T.JPG", f"DJI_000{n}_V.JPG") for n in (1, 2)]
    assert report.single == ()


def test_one_stray_file_does_not_undo_split_folders(tmp_path: Path) -> None:
    names = [f"{side}/DJI_000{n}.JPG" for n in (1, 2) for side in ("thermal", "rgb")]
    marked = [f"{side}/DJI_000{n}_{side[0].upper()}.JPG" for n in (3, 4) for side in ("T", "V")]
    report = write(tmp_path, *names, *marked, "T/DJI_0009_V.JPG")
    assert len(report.pairs) == 4
    assert [path.name for path, _ in report.single] == ["DJI_0009_V.JPG"]


def test_a_row_called_t_12_does_not_make_unmarked_images_infrared(tmp_path: Path) -> None:
    report = write(tmp_path, "T-12/DJI_0001_R.JPG", "T-12/DJI_0001.JPG")
    assert pairs_of(report) == [("DJI_0001_R.JPG", "DJI_0001.JPG")]


def test_rows_hold_split_folders(tmp_path: Path) -> None:
    report = write(
        tmp_path, *(f"T-{n}/{side}/1.jpg" for n in (1, 2) for side in ("thermal", "rgb"))
    )
    assert [pair.pair_id for pair in report.pairs] == ["T-1_1", "T-2_1"]


@pytest.mark.parametrize("ending", [".tiff", ".tif", ".png"])
def test_a_converted_file_beside_the_original_does_not_block_the_pair(
    tmp_path: Path, ending: str
) -> None:
    report = write(tmp_path, "DJI_1_T.JPG", "DJI_1_V.JPG", f"DJI_1_T{ending}")
    assert pairs_of(report) == [("DJI_1_T.JPG", "DJI_1_V.JPG")]
    assert [path.name for path, why in report.single if "another format" in why] == [
        f"DJI_1_T{ending}"
    ]


def test_a_second_download_is_the_same_content(tmp_path: Path) -> None:
    for name in ("DJI_1_T.JPG", "DJI_1_T (1).JPG"):
        made.put(tmp_path / name, b"infrared")
    report = write(tmp_path, "DJI_1_V.JPG")
    assert pairs_of(report) == [("DJI_1_T.JPG", "DJI_1_V.JPG")]
    assert [(p.name, why) for p, why in report.single] == [
        ("DJI_1_T (1).JPG", "the same content as DJI_1_T.JPG")
    ]


def test_other_images_of_the_same_name_are_a_pair_of_their_own(tmp_path: Path) -> None:
    names = ["DJI_1_T.JPG", "DJI_1_V.JPG", "DJI_1_T (1).JPG", "DJI_1_V (1).JPG"]
    report = write(tmp_path, *names)
    assert {(a, b) for a, b in pairs_of(report)} == {(names[0], names[1]), (names[2], names[3])}
    assert len({pair.pair_id for pair in report.pairs}) == 2


@pytest.mark.parametrize("folders", [("东区", "西区"), ("süd", "sød"), ("a b", "a-b"), ("a", "A")])
def test_folders_that_reduce_to_the_same_keep_all_pairs(
    tmp_path: Path, folders: tuple[str, str]
) -> None:
    names = [f"{f}/DJI_000{n}_{m}.JPG" for f in folders for n in (1, 2) for m in "TV"]
    report = write(tmp_path, *names)
    assert len({pair.pair_id.casefold() for pair in report.pairs}) == 4
    assert all(pair.infrared.parent == pair.visible.parent for pair in report.pairs)


def test_the_id_of_a_name_in_chinese_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    alone = write(tmp_path / "one", "东区/DJI_1_T.JPG", "东区/DJI_1_V.JPG")
    write(tmp_path / "two", "东区/DJI_1_T.JPG", "东区/DJI_1_V.JPG")
    both = write(tmp_path / "two", "西区/DJI_1_T.JPG", "西区/DJI_1_V.JPG")
    assert alone.pairs[0].pair_id in {pair.pair_id for pair in both.pairs}


def test_links_and_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    write(tmp_path / "disk", "DJI_1_T.JPG", "DJI_1_V.JPG")
    flight = tmp_path / "flight"
    flight.mkdir()
    (flight / "102MEDIA").symlink_to(tmp_path / "disk")
    (flight / "DJI_9_T.JPG").symlink_to(tmp_path / "nowhere.JPG")
    report = write(flight, "DJI_1.DNG", "IRX_0001.irg")
    reasons = {path.name: why for path, why in report.single}
    assert "linked folder" in reasons["102MEDIA"]
    assert str(tmp_path / "disk") in reasons["102MEDIA"]
    assert "link to nothing" in reasons["DJI_9_T.JPG"]
    assert {"DJI_1.DNG", "IRX_0001.irg"} < reasons.keys()


def photo(
    path: Path,
    seed: int,
    *,
    model: str = "",
    size: tuple[int, int] = (80, 64),
    at: str = "",
    zone: str = "",
    north_m: float | None = None,
    source: str = "",
) -> None:
    exif = Image.Exif()
    exif[0x0110] = model
    exif.get_ifd(0x8769).update({0x9003: at, 0x9011: zone})
    if north_m is not None:
        exif.get_ifd(0x8825).update(
            {1: "N", 2: (37.0, 0.0, north_m / 30.92), 3: "E", 4: (7.0, 0.0, 0.0)}
        )
    out = io.BytesIO()
    packet = made.dji_xmp(ImageSource=source) if source else ""
    Image.fromarray(made.picture(seed, size)).save(out, "JPEG", exif=exif, xmp=packet.encode())
    made.put(path, out.getvalue())


def test_the_camera_decides_where_names_and_folders_say_nothing(tmp_path: Path) -> None:
    """A Mavic 2 Enterprise Dual numbers both files on, under one model."""
    for n in range(2):
        at = f"2024:06:01 12:00:{10 * n:02d}"
        photo(tmp_path / f"DJI_{2 * n:04d}.JPG", n, model="FC2403", size=(4056, 3040), at=at)
        photo(tmp_path / f"DJI_{2 * n + 1:04d}.JPG", 9 + n, model="FC2403", size=(640, 480), at=at)
    report = pair_folder(tmp_path)
    assert pairs_of(report) == [("DJI_0001.JPG", "DJI_0000.JPG"), ("DJI_0003.JPG", "DJI_0002.JPG")]
    assert {pair.paired_by for pair in report.pairs} == {"time"}


def test_image_source_decides_and_an_infrared_image_is_not_taken_for_a_visible_one(
    tmp_path: Path,
) -> None:
    at = "2024:06:01 12:00:00"
    photo(tmp_path / "a.JPG", 1, source="InfraredCamera", at=at)
    photo(tmp_path / "b.JPG", 2, source="WideCamera", at=at)
    assert pairs_of(pair_folder(tmp_path)) == [("a.JPG", "b.JPG")]
    photo(tmp_path / "b.JPG", 2, source="InfraredCamera", at=at)
    photo(tmp_path / "c_T.JPG", 3, at=at)
    assert [pair.visible for pair in pair_folder(tmp_path).pairs] == [None] * 3


@pytest.mark.parametrize(("apart_m", "count"), [(0.0, 1), (10.0, 1), (40.0, 0), (1500.0, 0)])
def test_a_pair_found_by_time_is_held_against_its_positions(
    tmp_path: Path, apart_m: float, count: int
) -> None:
    photo(tmp_path / "thermal/a.JPG", 1, at="2024:06:01 12:00:00", north_m=0.0)
    photo(tmp_path / "rgb/b.JPG", 2, at="2024:06:01 12:00:00", north_m=apart_m)
    report = pair_folder(tmp_path)
    assert len([pair for pair in report.pairs if pair.visible]) == count
    assert len([why for _, why in report.single if "m away" in why]) == 1 - count


def test_a_shifted_order_is_seen_by_positions(tmp_path: Path) -> None:
    for n in range(4):
        photo(tmp_path / f"thermal/a{n}.JPG", n, north_m=9.0 * n)
        photo(tmp_path / f"rgb/b{n}.JPG", 10 + n, north_m=9.0 * n)
    assert len(pair_folder(tmp_path).pairs) == 4
    for n in range(4):
        photo(tmp_path / f"rgb/b{n}.JPG", 10 + n, north_m=9.0 * (n + 1))
    report = pair_folder(tmp_path)
    assert not [pair for pair in report.pairs if pair.visible]
    assert len([why for _, why in report.single if "by order" in why]) == 4


@pytest.mark.parametrize(
    ("zones", "hours"), [(("+02:00", "Z"), (12, 10)), (("+02:00", "+08:00"), (12, 12))]
)
def test_zones_pair_images_whether_the_clock_or_the_zone_differs(
    tmp_path: Path, zones: tuple[str, str], hours: tuple[int, int]
) -> None:
    for n in range(2):
        for side, name, zone, hour in zip("ab", ("thermal", "rgb"), zones, hours, strict=True):
            at = f"2024:06:01 {hour:02d}:00:{10 * n:02d}"
            photo(tmp_path / f"{name}/{side}{n}.JPG", n + ord(side), at=at, zone=zone)
    assert pairs_of(pair_folder(tmp_path)) == [("a0.JPG", "b0.JPG"), ("a1.JPG", "b1.JPG")]


@pytest.mark.parametrize("interval_s", [2, 5])
def test_files_of_one_exposure_may_be_named_by_two_seconds(tmp_path: Path, interval_s: int) -> None:
    for n in range(3):
        for mark, later in (("W", 0), ("Z", 0), ("T", 1)):
            second = 10 + interval_s * n + later
            at = f"2024:06:01 12:00:{second}"
            name = f"DJI_202406011200{second}_{n:04d}_{mark}.JPG"
            photo(tmp_path / name, 10 * n + ord(mark), at=at)
    report = pair_folder(tmp_path)
    assert [(a[-10:-6], b[-10:]) for a, b in pairs_of(report)] == [
        (f"{n:04d}", f"{n:04d}_W.JPG") for n in range(3)
    ]
    assert {why.split(" of ")[0] for _, why in report.single} == {"a further visible image"}


def test_the_same_number_an_hour_later_is_another_exposure(tmp_path: Path) -> None:
    photo(tmp_path / "DJI_20240601120000_0001_T.JPG", 1, at="2024:06:01 12:00:00")
    photo(tmp_path / "DJI_20240601130000_0001_W.JPG", 2, at="2024:06:01 13:00:00")
    assert not [pair for pair in pair_folder(tmp_path).pairs if pair.visible]


def test_a_zoomed_image_of_the_same_second_does_not_hide_the_wide_one(tmp_path: Path) -> None:
    """Early H20T firmware numbers the three files of an exposure on."""
    for n, mark in enumerate(("THRM", "WIDE", "ZOOM")):
        photo(tmp_path / f"DJI_20240601120000_{n:04d}_{mark}.JPG", n, at="2024:06:01 12:00:00")
    names = [(a[-8:], b[-8:]) for a, b in pairs_of(pair_folder(tmp_path))]
    assert names == [("THRM.JPG", "WIDE.JPG")]


@pytest.mark.parametrize(
    ("infrared", "visible"),
    [
        ("IR/a.jpg", "EO/a.jpg"),
        ("Thermal images/a.jpg", "RGB images/a.jpg"),
        ("south_thermal/a.jpg", "south_rgb/a.jpg"),
        ("IR_0001.jpg", "EO_0001.jpg"),
    ],
)
def test_folders_and_names_of_other_systems_are_understood(
    tmp_path: Path, infrared: str, visible: str
) -> None:
    write(tmp_path, infrared, visible)
    assert len(pair_folder(tmp_path).pairs) == 1


def test_a_folder_of_both_words_says_nothing() -> None:
    assert folder_modality("rgb_thermal") is None
    assert folder_modality("block_T") is None
    assert folder_modality("block_rgb") == ("visible", "block")


@pytest.mark.parametrize("by_source", [True, False])
def test_folders_whose_names_are_swapped_are_read_by_their_cameras(
    tmp_path: Path, by_source: bool
) -> None:
    for n in range(2):
        source = ("WideCamera", "InfraredCamera") if by_source else ("", "")
        photo(tmp_path / f"thermal/a{n}.JPG", n, model="XT2", size=(1600, 1200), source=source[0])
        photo(tmp_path / f"rgb/a{n}.JPG", 9 + n, model="XT2", size=(640, 512), source=source[1])
    report = pair_folder(tmp_path)
    assert [(p.infrared.parent.name, p.visible.parent.name) for p in report.pairs] == [
        ("rgb", "thermal")
    ] * 2


def test_radiometric_files_are_infrared_and_those_beside_them_visible(tmp_path: Path) -> None:
    """A handheld FLIR numbers its own files and those of its digital camera on."""
    for n in (1, 3):
        celsius = np.full((64, 80), 20.0 + n)
        made.put(tmp_path / f"FLIR000{n}.jpg", made.flir_jpeg(celsius))
        photo(tmp_path / f"DC_000{n + 1}.jpg", n)
    assert pairs_of(pair_folder(tmp_path)) == [
        ("FLIR0001.jpg", "DC_0002.jpg"),
        ("FLIR0003.jpg", "DC_0004.jpg"),
    ]
