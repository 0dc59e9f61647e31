"""Commands on what is in ``data/``: stations, labels, differences."""

from pathlib import Path
from typing import Annotated

import typer

from dd_livm_core.records import LabelFormat
from flows.workspace_option import WorkspaceOption, open_workspace

sites_app = typer.Typer(no_args_is_help=True, help="Declare stations and list them.")
data_app = typer.Typer(
    no_args_is_help=True, help="Look at the data that retrainings were trained on."
)
labels_app = typer.Typer(no_args_is_help=True, help="Hand labels out to labelling tools.")


@sites_app.command("add")
def sites_add(
    site_id: Annotated[
        str, typer.Argument(help="Short name, used as folder name: letters, digits, . _ -")
    ],
    pv_module_width_m: Annotated[
        float | None, typer.Option(help="Short side of one PV module, metres.", show_default="1.0")
    ] = None,
    pv_module_height_m: Annotated[
        float | None, typer.Option(help="Long side of one PV module, metres.", show_default="1.7")
    ] = None,
    city: Annotated[str | None, typer.Option(help="Where it is, in words.")] = None,
    terrain: Annotated[
        str | None, typer.Option(help="grass, gobi, rooftop, water, hillside, ...")
    ] = None,
    mounting: Annotated[str | None, typer.Option(help="fixed, tracker, flat, ...")] = None,
    latitude_deg: Annotated[
        float | None, typer.Option("--latitude", help="Degrees, north positive.")
    ] = None,
    longitude_deg: Annotated[
        float | None, typer.Option("--longitude", help="Degrees, east positive.")
    ] = None,
    radius_m: Annotated[
        float | None,
        typer.Option(help="How far from there a pair may be taken, metres.", show_default="3000"),
    ] = None,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Declare a station, so that missions can be ingested for it; or change what is given of a declared one.

    Example:  `dd-livm sites add springfield --latitude 37.246 --longitude -93.167`
    """
    opened = open_workspace(workspace)
    from dd_livm_core.missions.sites import change_site

    fields = {
        "city": city,
        "terrain": terrain,
        "mounting": mounting,
        "pv_module_width_m": pv_module_width_m,
        "pv_module_height_m": pv_module_height_m,
        "latitude_deg": latitude_deg,
        "longitude_deg": longitude_deg,
        "radius_m": radius_m,
    }
    change_site(opened.data, site_id, {k: v for k, v in fields.items() if v is not None})
    typer.echo(f"Declared {site_id} in {opened.data / 'sites.json'}.")


@sites_app.command("list")
def sites_list(workspace: WorkspaceOption = Path()) -> None:
    """List the declared stations and their missions."""
    opened = open_workspace(workspace)
    from dd_livm_core.missions.sites import read_sites

    for site_id, site in sorted(read_sites(opened.data).items()):
        missions = sorted(p.parent.name for p in (opened.data / site_id).glob("*/mission.json"))
        kind = "simulated" if site.simulated else "real"
        typer.echo(
            f"{site_id}\t{kind}\t{site.terrain or '-'}\t{', '.join(missions) or 'no mission yet'}"
        )


@labels_app.command("export")
def labels_export(
    site: Annotated[str, typer.Argument(help="Site id (`dd-livm sites list`).")],
    mission: Annotated[str, typer.Argument(help="Mission id.")],
    destination: Annotated[
        Path, typer.Argument(help="File to write for COCO, folder for YOLO or Pascal VOC.")
    ],
    form: Annotated[LabelFormat, typer.Option("--format", help="Format of the labels.")] = "coco",
    workspace: WorkspaceOption = Path(),
) -> None:
    """Write the labels of a mission for a labelling tool; `dd-livm ingest ... --labels` takes them back.

    Example:  `dd-livm labels export springfield monday labels_monday --format yolo`
    """
    opened = open_workspace(workspace)
    from dd_livm_core.aligned.label_export import export_labels

    written = export_labels(opened.data / site / mission, form, destination.expanduser())
    typer.echo(f"Labels of {written} pairs: {destination}")


@data_app.command("diff")
def data_diff(
    run_a: Annotated[str, typer.Argument(help="A retraining's run id (`dd-livm runs`).")],
    run_b: Annotated[
        str, typer.Argument(help="Run id of another retraining, usually a later one.")
    ],
    workspace: WorkspaceOption = Path(),
) -> None:
    """Show what changed in `data/` between two retrainings: sites, missions, pairs, images, labels.

    Each run keeps what its data held, so this also works after `data/` has changed.

    Example:  `dd-livm data diff 4f1c... 9be2...`
    """
    opened = open_workspace(workspace)
    from tasks.data_difference import data_difference

    for line in data_difference(opened, run_a, run_b):
        typer.echo(line)
