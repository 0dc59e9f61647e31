"""A tool's name for an image leads to the image, or to none."""

import pytest

from dd_livm_core.labels.image_names import ImageNames

IMAGES = ImageNames({"DJI_0001": ("100MEDIA/DJI_0001_T", "DJI_0001_T"), "b": ("Fläche (1)_T",)})


@pytest.mark.parametrize(
    "name",
    [
        "DJI_0001_T.JPG",
        "DJI_0001_T",
        "images\\train\\DJI_0001_T.JPG",
        "dji_0001_t.jpg",
        "DJI_0001_T.JPG.txt",
        "DJI%5F0001%5FT.JPG",
        "DJI_0001_T_JPG.rf.0a1b2c3d4e5f.jpg",
        "labels/DJI_0001_T_JPG.rf.0a1b2c3d4e5f.txt",
        "DJI_0001_T_jpg.rf.kQ0a1b2c3d.jpg",
        "4f3b2c1d-DJI_0001_T.txt",
        "../../label-studio/data/media/upload/1/4f3b2c1d-DJI_0001_T.JPG",
        "/data/local-files/?d=flights%5C100MEDIA%5CDJI_0001_T.JPG",
        "DJI_0001_T-JPG_JPG.rf.0a1b2c3d4e5f.jpg",
        "https://store.example/flights%2FDJI_0001_T.JPG?alt=media&token=a.b",
        "s3://bucket/flights/DJI_0001_T.JPG#1",
        "DJI_0001_T.JPG \n",
    ],
)
def test_names_of_tools_lead_to_the_image(name: str) -> None:
    assert IMAGES.find([name]) == "DJI_0001"


@pytest.mark.parametrize(
    "name",
    ["Fläche (1)_T.JPG", "Fla\u0308che (1)_T.JPG", "Fl%C3%A4che%20(1)_T.JPG", "Fläche-1-_T.jpg"],
)
def test_other_scripts_and_punctuation_are_kept_apart_from_nothing(name: str) -> None:
    assert IMAGES.find([name]) == "b"


@pytest.mark.parametrize("name", ["DJI_0002_T.JPG", "1_T.JPG", "_T", "", "classes.txt"])
def test_a_name_of_no_image_leads_nowhere(name: str) -> None:
    assert IMAGES.find([name]) is None
    assert not IMAGES.is_shared([name])


def test_a_dot_within_a_name_is_no_ending() -> None:
    images = ImageNames({"a": ("flight.1_T",), "b": ("flight.2_T",)})
    assert images.find(["flight.2_T"]) == "b"
    assert images.find(["flight.2_T.JPG"]) == "b"


def test_a_name_of_two_images_means_neither_until_a_folder_tells() -> None:
    images = ImageNames({"a": ("N/DJI_1_T", "DJI_1_T"), "b": ("S/DJI_1_T", "DJI_1_T")})
    assert images.find(["DJI_1_T.JPG"]) is None
    assert images.is_shared(["DJI_1_T.JPG"])
    assert images.find(["S/DJI_1_T.JPG"]) == "b"
