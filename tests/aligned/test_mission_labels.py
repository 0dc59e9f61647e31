"""Labels find their pairs whatever the format and the naming; both label sets of a mission become one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dd_livm_core.aligned.label_export import export_labels
from dd_livm_core.aligned.label_sources import find_labels, list_names
from dd_livm_core.aligned.mission_labels import take_labels
from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.camera_files.orientation import turn_upright
from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.image_names import ImageNames
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.label_sets import read_label_set, write_label_set
from dd_livm_core.missions.folder import image_pairs, read_record
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import LabelFormat, Mission, Site
from tests import drone_files as made

SIZE = (80, 64)
LABELS = {
    "DJI_0000": [Label((5.25, 6.5, 9.125, 7.0), "dust", "patch"), Label((1, 2, 3, 4), "weeds")],
    "DJI_0001": [],
    "DJI_0002": [Label((40, 30, 8, 16), "open_circuit", "block")],
}
"""Of four pairs; the fourth is not labelled."""
MISSION = Mission(mission_id="m", site_id="s")


@pytest.fixture
def mission_dir(tmp_path: Path) -> Path:
    write_site(tmp_path / "data", Site(site_id="s"))
    source = made.mission_folder(tmp_path / "flight", 4)
    return ingest_mission(source, tmp_path / "data", MISSION).mission_dir


def write(kind: LabelFormat, destination: Path, names: dict[str, str]) -> Path:
    """Write LABELS as a tool would, under the names that it saw."""
    write_label_set(
        kind,
        destination,
        {names[pair_id]: of_pair for pair_id, of_pair in LABELS.items()},
        {name: f"{name}.jpg" for name in names.values()},
        dict.fromkeys(names.values(), SIZE),
    )
    return destination


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
@pytest.mark.parametrize("mark", ["", "_T"])
def test_every_format_is_read_and_written_without_loss(
    tmp_path: Path, mission_dir: Path, kind: LabelFormat, mark: str
) -> None:
    labels = write(kind, tmp_path / "drawn", {name: name + mark for name in LABELS})
    assert take_labels(mission_dir, labels).labelled == 3
    assert read_labels(mission_dir / "labels.json").keys() == LABELS.keys()
    with pytest.raises(InputError, match="sites list"):
        export_labels(mission_dir.with_name("other"), kind, tmp_path / "out")
    assert export_labels(mission_dir, kind, tmp_path / "out") == 3
    images = ImageNames({f"DJI_{n:04d}": (f"DJI_{n:04d}",) for n in range(4)})
    again = read_label_set(tmp_path / "out", images, lambda pair_id: ImageFrame(SIZE, SIZE))
    assert again.labels.keys() == LABELS.keys()  # not labelled is not the same as without defects
    for pair_id, of_pair in LABELS.items():
        for one, other in zip(again.labels[pair_id], of_pair, strict=True):
            np.testing.assert_allclose(one.box_xywh_px, other.box_xywh_px, atol=1e-9)
            assert (one.defect_class, one.hotspot_shape) == (
                other.defect_class,
                other.hotspot_shape,
            )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "dust\nweeds\n"),
        ("data.yaml", "names: [dust, weeds]\n"),
        ("data.yaml", "names:\n  0: dust\n  1: weeds\n"),
        ("../data.yaml", "nc: 2\nnames: [dust, weeds]\n"),
    ],
)
def test_numbers_of_read_yolo_classes_are_named(
    tmp_path: Path, mission_dir: Path, name: str, text: str
) -> None:
    drawn = tmp_path / "drawn"
    (drawn / "DJI_0001.txt").parent.mkdir()
    (drawn / "DJI_0001.txt").write_text("1 0.5 0.5 0.1 0.1\n")
    with pytest.raises(InputError, match=r"classes\.txt"):
        take_labels(mission_dir, drawn)
    (drawn / name).write_text(text)
    take_labels(mission_dir, drawn)
    (label,) = read_labels(mission_dir / "labels.json")["DJI_0001"]
    assert label.defect_class == "weeds"


def test_labels_of_no_pair_are_named(tmp_path: Path, mission_dir: Path) -> None:
    names = {**{name: name for name in LABELS}, "DJI_0002": "DJI_7777"}
    report = take_labels(mission_dir, write("voc", tmp_path / "drawn", names))
    assert (report.labelled, report.unmatched) == (2, ("DJI_7777.xml",))


def test_labels_of_other_pairs_stay(tmp_path: Path, mission_dir: Path) -> None:
    take_labels(mission_dir, write("coco", tmp_path / "a.json", {name: name for name in LABELS}))
    more = [Label((1, 1, 5, 5), "breakage")]
    write_labels(tmp_path / "b.json", {"x": more}, {"x": "DJI_0003.JPG"}, {"x": SIZE})
    assert take_labels(mission_dir, tmp_path / "b.json").labelled == 4
    assert read_labels(mission_dir / "labels.json") == {**LABELS, "DJI_0003": more}


def test_same_names_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    write_site(tmp_path / "data", Site(site_id="s"))
    for number, south in enumerate(("", "_south")):
        for side in "TV":
            content = made.jpeg(made.picture(2 * number + (side == "V")))
            made.put(tmp_path / f"flight/{side}{south}/DJI_1_{side}.JPG", content)
    boxes = {"T/DJI_1_T": [Label((1, 1, 5, 5), "dust")], "T_south/DJI_1_T": []}
    files = {name: f"{name}.JPG" for name in boxes}
    write_labels(tmp_path / "a.json", boxes, files, dict.fromkeys(boxes, SIZE))
    source = tmp_path / "flight"
    report = ingest_mission(source, tmp_path / "data", MISSION)
    names = list_names(report.pairs, source)
    take_labels(report.mission_dir, tmp_path / "a.json", names=names)
    assert {k: len(v) for k, v in read_labels(report.mission_dir / "labels.json").items()} == {
        "DJI_1": 1,
        "south_DJI_1": 0,
    }
    # without folders nobody can tell which of the two is meant
    write_labels(tmp_path / "b.json", {"x": []}, {"x": "DJI_1_T.JPG"}, {"x": SIZE})
    with pytest.raises(InputError, match="folders"):
        take_labels(report.mission_dir, tmp_path / "b.json", names=names)


def test_what_is_no_label_set_is_refused(tmp_path: Path, mission_dir: Path) -> None:
    (tmp_path / "none").mkdir()
    mixed = write("voc", tmp_path / "mixed", {name: name for name in LABELS})
    (mixed / "DJI_0000.txt").write_text("0 .5 .5 .1 .1")
    for path in (tmp_path / "missing", tmp_path / "none", mixed):
        with pytest.raises(InputError):
            take_labels(mission_dir, path)


def test_two_entries_of_one_image_that_differ_are_both_set_aside(
    tmp_path: Path, mission_dir: Path
) -> None:
    twice = write("voc", tmp_path / "twice", {name: name for name in LABELS})
    shutil.copy(twice / "DJI_0000.xml", twice / "DJI_0000_T.xml")  # the same again
    shutil.copy(twice / "DJI_0000.xml", twice / "DJI_0002_T.xml")  # another, also by its filename
    text = (twice / "DJI_0002_T.xml").read_text().replace("DJI_0000", "DJI_0002")
    (twice / "DJI_0002_T.xml").write_text(text)
    report = take_labels(mission_dir, twice)
    assert read_labels(mission_dir / "labels.json").keys() == {"DJI_0000", "DJI_0001"}
    assert {one.where for one in report.set_aside} == {"DJI_0002.xml", "DJI_0002_T.xml"}
    assert "DJI_0002_T.xml" in (mission_dir / "labels_set_aside.json").read_text()


def test_an_entry_with_the_names_of_two_images_is_set_aside(
    tmp_path: Path, mission_dir: Path
) -> None:
    drawn = write("voc", tmp_path / "drawn", {name: name for name in LABELS})
    shutil.copy(drawn / "DJI_0000.xml", drawn / "DJI_0003.xml")  # its <filename> is the first's
    report = take_labels(mission_dir, drawn)
    assert [one.where for one in report.set_aside] == ["DJI_0003.xml"]
    assert report.labelled == 3


def test_files_are_known_by_the_image_that_they_name(tmp_path: Path, mission_dir: Path) -> None:
    drawn = write("voc", tmp_path / "drawn", {name: f"{name}_T" for name in LABELS})
    for number, path in enumerate(sorted(drawn.glob("*.xml"))):
        path.rename(drawn / f"{number:06d}.xml")
    assert take_labels(mission_dir, drawn).labelled == 3
    assert read_labels(mission_dir / "labels.json").keys() == LABELS.keys()


def test_a_bad_label_is_named_and_an_image_of_bad_labels_only_stays_unlabelled(
    tmp_path: Path, mission_dir: Path
) -> None:
    drawn = write("yolo", tmp_path / "drawn", {name: name for name in LABELS})
    first = drawn / "DJI_0000.txt"
    first.write_text(first.read_text().splitlines()[0] + "\n0 9 9 1 1\n")
    (drawn / "DJI_0002.txt").write_text("77 .5 .5 .1 .1")
    (drawn / "DJI_0001.txt").write_bytes(b"\xff\xfa\x00")
    report = take_labels(mission_dir, drawn)
    kept = read_labels(mission_dir / "labels.json")
    assert {pair_id: len(of) for pair_id, of in kept.items()} == {"DJI_0000": 1}
    assert {one.where.split(",")[0] for one in report.set_aside} == {
        "DJI_0000.txt",
        "DJI_0001.txt",
        "DJI_0002.txt",
    }


def test_a_set_that_names_no_image_says_the_likely_reason(
    tmp_path: Path, mission_dir: Path
) -> None:
    visible = write("voc", tmp_path / "seen", {name: f"{name}_V" for name in LABELS})
    with pytest.raises(InputError, match=r"DJI_0000_V\.xml.*--visible-labels"):
        take_labels(mission_dir, visible)
    other = write("voc", tmp_path / "other", {name: f"X_{name}" for name in LABELS})
    with pytest.raises(InputError, match="another mission"):
        take_labels(mission_dir, other)
    assert not (mission_dir / "labels.json").exists()


def test_notes_beside_labels_are_no_labels_and_are_named(tmp_path: Path, mission_dir: Path) -> None:
    drawn = write("voc", tmp_path / "drawn", {name: name for name in LABELS})
    (drawn / "README.roboflow.txt").write_text("Exported by a tool on 3 May\n")
    (drawn / "test.txt").write_text("")
    (drawn / "notes.json").write_text('{"info": {"contributor": "a tool"}}')
    report = take_labels(mission_dir, drawn)
    assert report.labelled == 3
    names = [one.where for one in report.set_aside]
    assert names == ["README.roboflow.txt", "notes.json", "test.txt"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"DJI_0001_T.JPG1": {"filename": "DJI_0001_T.JPG", "regions": []}}, "VIA"),
        ({"_via_settings": {}, "_via_img_metadata": {}}, "VIA"),
        ([{"data": {"image": "DJI_0001_T.JPG"}, "annotations": []}], "Label Studio"),
        ([1], "neither images nor shapes"),
    ],
)
@pytest.mark.parametrize("in_folder", [True, False])
def test_json_of_other_tools_is_refused_by_name(
    tmp_path: Path, mission_dir: Path, content: object, kind: str, in_folder: bool
) -> None:
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn/a.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=kind):
        take_labels(mission_dir, tmp_path / "drawn" / ("" if in_folder else "a.json"))


@pytest.mark.parametrize("kind", ["yolo", "voc"])
def test_a_single_file_of_a_format_is_read(
    tmp_path: Path, mission_dir: Path, kind: LabelFormat
) -> None:
    drawn = write(kind, tmp_path / "drawn", {name: name for name in LABELS})
    ending = "txt" if kind == "yolo" else "xml"
    take_labels(mission_dir, drawn / f"DJI_0002.{ending}")
    assert read_labels(mission_dir / "labels.json").keys() == {"DJI_0002"}


def test_classes_are_found_where_tools_put_them_and_must_agree(
    tmp_path: Path, mission_dir: Path
) -> None:
    folder = tmp_path / "dataset/train/labels"
    folder.mkdir(parents=True)
    (folder / "DJI_0001.txt").write_text("1 0.5 0.5 0.1 0.1")
    (tmp_path / "dataset/data.yml").write_text("names: [dust, weeds]")
    take_labels(mission_dir, folder)
    assert read_labels(mission_dir / "labels.json")["DJI_0001"][0].defect_class == "weeds"
    (tmp_path / "dataset/train/classes.txt").write_text("weeds\ndust\n")
    with pytest.raises(InputError, match=r"data\.yml"):
        take_labels(mission_dir, tmp_path / "dataset")


def test_an_image_with_half_a_size_costs_only_itself(tmp_path: Path, mission_dir: Path) -> None:
    path = write("coco", tmp_path / "a.json", {name: name for name in LABELS})
    content = json.loads(path.read_text())
    content["images"][0]["width"] = None
    path.write_text(json.dumps(content))
    report = take_labels(mission_dir, path)
    assert report.labelled == 2
    assert [one.where for one in report.set_aside] == [content["images"][0]["file_name"]]


def test_a_folder_of_labelme_files_is_read(tmp_path: Path, mission_dir: Path) -> None:
    (tmp_path / "drawn").mkdir()
    shapes = [
        {"label": "dust", "points": [[30, 20], [10, 12]], "shape_type": "rectangle"},
        {"label": "weeds", "points": [[5, 5], [5, 8]], "shape_type": "circle"},
        {"label": "weeds", "points": [[5, 5]], "shape_type": "point"},
    ]
    content = {
        "shapes": shapes,
        "imagePath": "..\\images\\DJI_0001_T.JPG",
        "imageWidth": 160,
        "imageHeight": 128,
    }
    (tmp_path / "drawn/1.json").write_text("\ufeff" + json.dumps(content), encoding="utf-8")
    report = take_labels(mission_dir, tmp_path / "drawn")
    kept = read_labels(mission_dir / "labels.json")["DJI_0001"]
    assert [label.box_xywh_px for label in kept] == [(5, 6, 10, 4), (1, 1, 3, 3)]
    assert [one.where for one in report.set_aside] == ["1.json, shape 3"]


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_boxes_drawn_on_the_shown_picture_lie_on_the_heat(
    tmp_path: Path, kind: LabelFormat, orientation: int
) -> None:
    """The picture is twice as large as the radiometric raster, and turned; only the box is hot."""
    stored_c = np.full((64, 80), 30.0)
    stored_c[30:36, 40:52] = 60.0
    write_site(tmp_path / "data", Site(site_id="s"))
    hot = made.flir_jpeg(stored_c, enlarged=2, orientation=orientation)
    made.put(tmp_path / "flight/DJI_0001_R.JPG", hot)
    made.put(tmp_path / "flight/DJI_0001_V.JPG", made.jpeg(made.picture(1)))
    mission_dir = ingest_mission(tmp_path / "flight", tmp_path / "data", MISSION).mission_dir
    seen = turn_upright(stored_c, orientation)
    rows, columns = np.nonzero(seen > 50)
    corner, end = (columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)
    box = (*corner, end[0] - corner[0], end[1] - corner[1])
    shown = Label(tuple(2.0 * float(side) for side in box), "dust")
    size_px = (2 * seen.shape[1], 2 * seen.shape[0])
    name = "DJI_0001_R"
    write_label_set(
        kind, tmp_path / "drawn", {name: [shown]}, {name: f"{name}.JPG"}, {name: size_px}
    )
    take_labels(mission_dir, tmp_path / "drawn")
    (label,) = read_labels(mission_dir / "labels.json")["DJI_0001"]
    np.testing.assert_allclose(label.box_xywh_px, box)
    values = read_infrared(image_pairs(mission_dir)[0].infrared).values
    inside = values[corner[1] : end[1], corner[0] : end[0]]
    assert inside.min() > 59
    assert (values > 50).sum() == inside.size


def test_visible_labels_alone_are_refused(tmp_path: Path, mission_dir: Path) -> None:
    visible = write("voc", tmp_path / "seen", {name: name for name in LABELS})
    with pytest.raises(InputError, match="--labels"):
        find_labels(tmp_path / "flight", None, visible)
    with pytest.raises(InputError, match="typo"):
        find_labels(tmp_path / "flight", tmp_path / "typo", None)


@pytest.fixture
def simulated(simulated_fleet: Path, tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Return five labelled pairs of a simulated mission and the true maps from infrared to visible pixels."""
    mission = sorted(simulated_fleet.glob("*/*/mission.json"))[0].parent
    shutil.copytree(mission, tmp_path / "simulated")
    labelled = {n for n, of in read_labels(mission / "labels.json").items() if of}
    for side in ("infrared", "visible"):
        for path in sorted((tmp_path / "simulated" / side).iterdir()):
            if path.stem not in sorted(labelled)[:5]:
                path.unlink()
    truth = simulated_fleet.parent / "truth" / mission.relative_to(simulated_fleet)
    return tmp_path / "simulated", pd.read_parquet(truth / "truth.parquet").set_index("pair_id")


def test_both_label_sets_become_one_and_a_disagreement_is_kept_for_a_person(
    simulated: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    """Visible labels are drawn where the truth has them; registration has to find that place again."""
    mission_dir, truth = simulated
    names = [pair.pair_id for pair in image_pairs(mission_dir)]
    hot = {name: read_labels(mission_dir / "labels.json")[name] for name in names}
    external = next(n for n, of in hot.items() if any(x.defect_class == "dust" for x in of))
    seen: dict[str, list[Label]] = {}
    for pair_id, of_pair in hot.items():
        row = truth.loc[pair_id]
        matrix = np.array([[row[f"h{i}{j}"] for j in range(3)] for i in range(3)], float)
        seen[pair_id] = [
            Label(box_around(label.box_xywh_px, matrix), visible_class(pair_id, external, label))
            for label in of_pair
        ]
    site = read_record(mission_dir / "mission.json", Mission)
    assert site.simulated
    files = {name: f"visible/{name}.jpg" for name in seen}
    sizes = {n: (int(truth.visible_width_px[n]), int(truth.visible_height_px[n])) for n in seen}
    write_label_set("yolo", tmp_path / "seen", seen, files, sizes)
    shutil.copy(mission_dir / "labels.json", tmp_path / "hot.json")
    report = take_labels(mission_dir, tmp_path / "hot.json", tmp_path / "seen")
    joined = read_labels(mission_dir / "labels.json")
    assert {n: [x.box_xywh_px for x in of] for n, of in joined.items()} == {
        n: [x.box_xywh_px for x in of] for n, of in hot.items()
    }  # infrared gives the place
    differing = [pair_id for pair_id, c in report.conflicts if c.infrared and c.visible]
    assert set(differing) == {external}
    assert not any(x.defect_class == "dust" for x in joined[external])
    assert any(x.defect_class == "weeds" for x in joined[external])
    assert external in (mission_dir / "label_conflicts.json").read_text()


def visible_class(pair_id: str, external: str, label: Label) -> str:
    """Return the class of a person who sees weeds where infrared labels of one pair say dust."""
    differs = pair_id == external and label.defect_class == "dust"
    return "weeds" if differs else label.defect_class


def box_around(box: tuple[float, float, float, float], matrix: np.ndarray) -> tuple[float, ...]:
    x, y, w, h = box
    corners = np.array([[x, y, 1], [x + w, y, 1], [x, y + h, 1], [x + w, y + h, 1]]) @ matrix.T
    points = corners[:, :2] / corners[:, 2:]
    low, high = points.min(axis=0), points.max(axis=0)
    return (*low, *(high - low))
