"""The command that takes a mission's images into ``data/``."""

from pathlib import Path
from typing import Annotated

import typer

from dd_livm_core.records import TemperatureUnit
from flows.workspace_option import CORES, ProcessesOption, WorkspaceOption, open_workspace


def ingest_images(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder of images: both kinds in one folder, a folder for each (T and V, infrared and visible), or "
            "infrared images alone."
        ),
    ],
    site: Annotated[str, typer.Option(help="Site id of a declared station (`dd-livm sites add`).")],
    mission: Annotated[
        str | None,
        typer.Option(
            help="Name of the mission. Default: that of this folder's earlier ingestion, else the folder's name."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels drawn on the infrared images: a COCO file, or a folder of YOLO or Pascal VOC files. "
            "Default: labels.json beside the images, where there is one."
        ),
    ] = None,
    visible_labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels drawn on the visible images, in any of these formats: mapped to infrared and compared with "
            "--labels; disagreements are listed."
        ),
    ] = None,
    irradiance: Annotated[
        float | None,
        typer.Option(
            help="Irradiance in the plane of the PV modules, W/m². Default: not recorded."
        ),
    ] = None,
    wind: Annotated[
        float | None, typer.Option(help="Wind speed, m/s. Default: not recorded.")
    ] = None,
    ambient: Annotated[
        float | None, typer.Option(help="Air temperature, °C. Default: not recorded.")
    ] = None,
    emissivity: Annotated[
        float | None,
        typer.Option(
            help="Of the PV modules, as seen; in place of what FLIR and DJI files say, as the next three."
        ),
    ] = None,
    reflected: Annotated[
        float | None, typer.Option(help="Temperature of what is mirrored, such as the sky, °C.")
    ] = None,
    distance: Annotated[
        float | None, typer.Option(help="Distance from the camera to the PV modules, m.")
    ] = None,
    humidity: Annotated[
        float | None, typer.Option(help="Relative humidity of the air, 0 to 1.")
    ] = None,
    infrared_unit: Annotated[
        TemperatureUnit | None,
        typer.Option(help="Temperature unit of infrared TIFF files that do not say it themselves."),
    ] = None,
    infrared_scale: Annotated[
        float | None,
        typer.Option(
            help="Factor from the numbers in those files to that unit, such as 0.04 with kelvin.",
            show_default="1",
        ),
    ] = None,
    infrared_offset: Annotated[
        float | None,
        typer.Option(help="Added to the scaled numbers, in that unit.", show_default="0"),
    ] = None,
    processes: ProcessesOption = CORES,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Take a mission's images into `data/`: pair, check and copy them; originals stay untouched.

    An infrared image without a visible one is taken alone. A bad pair is set aside with its reason. Interrupted or
    with new options, run it again: only what is missing is copied, and only what is given changes. Another flight in a
    folder of the same name becomes a mission of its own.

    A `mission.json` beside the images may say more about the flight (see docs/missions.md); options given here win.

    Example:  `dd-livm ingest flights/monday --site springfield --irradiance 850`
    """
    opened = open_workspace(workspace)
    from flows.ingestion import ingest_folder

    declared = {"unit": infrared_unit, "scale": infrared_scale, "offset": infrared_offset}
    unit = {name: value for name, value in declared.items() if value is not None}
    options = {
        "irradiance_w_m2": irradiance,
        "wind_m_s": wind,
        "ambient_c": ambient,
        "emissivity": emissivity,
        "reflected_c": reflected,
        "object_distance_m": distance,
        "relative_humidity": humidity,
        "infrared_unit": unit or None,
    }
    ingest_folder(
        opened,
        source.expanduser(),
        site,
        {name: value for name, value in options.items() if value is not None},
        mission_id=mission,
        labels=labels.expanduser() if labels else None,
        visible_labels=visible_labels.expanduser() if visible_labels else None,
        processes=processes,
    )
