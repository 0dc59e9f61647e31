"""The command line: each command is one flow or one look at what the flows left."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dd_livm_core.errors import InputError
from dd_livm_core.records import LabelFormat, TemperatureUnit

if TYPE_CHECKING:
    from tasks.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Find defects in photovoltaic plants from pairs of infrared and visible drone images.

A first look, on simulated stations:  `dd-livm demo`

With your own labelled missions:  `sites add`, then `ingest`, then `retrain`, then `inspect`.""",
)
sites_app = typer.Typer(no_args_is_help=True, help="Declare stations and list them.")
app.add_typer(sites_app, name="sites")
data_app = typer.Typer(
    no_args_is_help=True, help="Look at the data that retrainings were trained on."
)
app.add_typer(data_app, name="data")
labels_app = typer.Typer(no_args_is_help=True, help="Give labels out to labelling tools.")
app.add_typer(labels_app, name="labels")

WorkspaceOption = Annotated[
    Path,
    typer.Option("--workspace", "-w", help="Folder that holds data/, mlruns/ and all results."),
]
ProfileOption = Annotated[
    str,
    typer.Option(
        help="Named table of the configuration file: `demo` is quick, `standard` is thorough."
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Your own TOML file of profiles. Default: the bundled one."),
]
ProcessesOption = Annotated[
    int, typer.Option(min=1, max=64, help="Processes for per-pair work.", show_default="all cores")
]
CORES = os.cpu_count() or 1


def _open(workspace: Path) -> "Workspace":
    from tasks.workspace import Workspace, prefect_environment

    opened = Workspace.at(workspace)
    prefect_environment(opened)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return opened


@app.command()
def demo(
    workspace: WorkspaceOption = Path(),
    processes: ProcessesOption = CORES,
) -> None:
    """Run the main job on simulated stations: render, validate, align, train, score, register, inspect.

    Uses the missions in `data/` where there are any; else renders three simulated stations there first.
    A few minutes on two cores. Run it again: finished steps are reused.
    """
    opened = _open(workspace)
    from flows.demo import run_demo

    run_demo(opened, processes)


@sites_app.command("add")
def sites_add(
    site_id: Annotated[
        str, typer.Argument(help="Short name, used as folder name: letters, digits, . _ -")
    ],
    pv_module_width_m: Annotated[
        float, typer.Option(help="Short side of one PV module, metres.")
    ] = 1.0,
    pv_module_height_m: Annotated[
        float, typer.Option(help="Long side of one PV module, metres.")
    ] = 1.7,
    city: Annotated[str | None, typer.Option()] = None,
    terrain: Annotated[
        str | None, typer.Option(help="grass, gobi, rooftop, water, hillside, ...")
    ] = None,
    mounting: Annotated[str | None, typer.Option(help="fixed, tracker, flat, ...")] = None,
    latitude_deg: Annotated[float | None, typer.Option("--latitude")] = None,
    longitude_deg: Annotated[float | None, typer.Option("--longitude")] = None,
    radius_m: Annotated[float, typer.Option(help="How far from there a pair may lie.")] = 3000.0,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Declare a station, so that missions can be ingested for it.

    Example:  `dd-livm sites add springfield --latitude 37.246 --longitude -93.167`
    """
    opened = _open(workspace)
    from dd_livm_core.records import Site
    from dd_livm_core.sites import write_site

    write_site(
        opened.data,
        Site(
            site_id=site_id,
            city=city,
            terrain=terrain,
            mounting=mounting,
            pv_module_width_m=pv_module_width_m,
            pv_module_height_m=pv_module_height_m,
            latitude_deg=latitude_deg,
            longitude_deg=longitude_deg,
            radius_m=radius_m,
        ),
    )
    typer.echo(f"Declared {site_id} in {opened.data / 'sites.json'}.")


@sites_app.command("list")
def sites_list(workspace: WorkspaceOption = Path()) -> None:
    """List the declared stations and their missions."""
    opened = _open(workspace)
    from dd_livm_core.sites import read_sites

    for site_id, site in sorted(read_sites(opened.data).items()):
        missions = sorted(p.parent.name for p in (opened.data / site_id).glob("*/mission.json"))
        kind = "simulated" if site.simulated else "real"
        typer.echo(
            f"{site_id}\t{kind}\t{site.terrain or '-'}\t{', '.join(missions) or 'no mission yet'}"
        )


@app.command()
def ingest(
    source: Annotated[
        Path,
        typer.Argument(
            help="Folder of images: split folders (T and V, infrared and visible) or one."
        ),
    ],
    site: Annotated[str, typer.Option(help="A declared station (`dd-livm sites add`).")],
    mission: Annotated[
        str | None, typer.Option(help="Name of the mission. Default: the folder's name.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels over the infrared frames: a COCO file, or a folder of YOLO or Pascal VOC files. "
            "Default: labels.json beside the images, where there is one."
        ),
    ] = None,
    visible_labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels over the visible images, in any of these formats: reconciled with --labels."
        ),
    ] = None,
    irradiance: Annotated[
        float | None, typer.Option(help="W/m2 in the module plane; unknown stays null.")
    ] = None,
    wind: Annotated[float | None, typer.Option(help="m/s; unknown stays null.")] = None,
    ambient: Annotated[float | None, typer.Option(help="degrees C; unknown stays null.")] = None,
    infrared_unit: Annotated[
        TemperatureUnit | None,
        typer.Option(help="Unit of TIFF files that do not say it themselves."),
    ] = None,
    infrared_scale: Annotated[
        float | None,
        typer.Option(
            help="Units per count in those files, such as 0.04 with kelvin.", show_default="1"
        ),
    ] = None,
    processes: ProcessesOption = CORES,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Take a mission's images into `data/`: pair, check and copy them; originals stay untouched.

    A bad pair is set aside with its reason. Run it again after a break: only what is missing is copied.

    A `mission.json` beside the images may say more of the flight (see docs/missions.md).

    Example:  `dd-livm ingest flights/monday --site springfield --irradiance 850`
    """
    opened = _open(workspace)
    from flows.ingest import ingest_folder, mission_record

    source = source.expanduser()
    if infrared_scale is not None and infrared_unit is None:
        raise InputError(
            "a unit to scale", "none", "--infrared-scale", "Give --infrared-unit, too."
        )
    unit = {"unit": infrared_unit, "scale": infrared_scale or 1.0} if infrared_unit else None
    recorded = {
        "mission_id": mission,
        "irradiance_w_m2": irradiance,
        "wind_m_s": wind,
        "ambient_c": ambient,
        "infrared_unit": unit,
    }
    ingest_folder(
        opened,
        source,
        mission_record(source, site, recorded),
        labels=labels,
        visible_labels=visible_labels,
        processes=processes,
    )


@labels_app.command("export")
def labels_export(
    site: Annotated[str, typer.Argument(help="Site id (`dd-livm sites list`).")],
    mission: Annotated[str, typer.Argument(help="Mission id.")],
    destination: Annotated[
        Path, typer.Argument(help="File for COCO, folder for YOLO and Pascal VOC.")
    ],
    form: Annotated[LabelFormat, typer.Option("--format", help="What to write.")] = "coco",
    workspace: WorkspaceOption = Path(),
) -> None:
    """Write the labels of a mission for a labelling tool; `dd-livm ingest ... --labels` takes them back.

    Example:  `dd-livm labels export springfield monday labels_monday --format yolo`
    """
    opened = _open(workspace)
    from dd_livm_core.mission_labels import export_labels

    written = export_labels(opened.data / site / mission, form, destination.expanduser())
    typer.echo(f"Labels of {written} pairs: {destination}")


@app.command()
def retrain(
    workspace: WorkspaceOption = Path(),
    profile: ProfileOption = "standard",
    config: ConfigOption = None,
    processes: ProcessesOption = CORES,
) -> None:
    """Train on all labelled missions in `data/`, score every site, register the model.

    Interrupted, run it again: finished steps are reused and training goes on from its last epoch.

    Keys of a profile: `contract.max_quarantined_pct`, `evaluation.held_out_sites`,
    `promotion.min_mean_gain_points`, `promotion.max_site_drop_points`, and those under `training`
    (see docs/configuration.md).
    """
    opened = _open(workspace)
    from dd_livm_core.configuration import BUNDLED_PROFILES, load_profile

    configuration = load_profile(config or BUNDLED_PROFILES, profile)
    from flows.pages import use_running_server
    from flows.retrain import retrain as retrain_flow

    use_running_server(opened)
    retrain_flow(workspace=opened.root, configuration=configuration, processes=processes)


@app.command()
def evaluate(
    workspace: WorkspaceOption = Path(),
    model: Annotated[
        str, typer.Option(help="Alias or version of the registered model.")
    ] = "champion",
    processes: ProcessesOption = CORES,
) -> None:
    """Score a registered model on every labelled site; the scores are a run of their own in MLflow."""
    opened = _open(workspace)
    from flows.evaluate_sites import evaluate_sites

    evaluate_sites(workspace=opened.root, model=model, processes=processes)


@app.command()
def inspect(
    source: Annotated[Path, typer.Argument(help="Folder of one mission's images, without labels.")],
    output: Annotated[Path | None, typer.Option(help="Where findings and overlays go.")] = None,
    model: Annotated[
        str, typer.Option(help="Alias or version of the registered model.")
    ] = "champion",
    workspace: WorkspaceOption = Path(),
    processes: ProcessesOption = CORES,
) -> None:
    """Find defects in one mission: `findings.json`, overlays and a page to look at.

    Example:  `dd-livm inspect flights/tuesday --output reports/tuesday`
    """
    opened = _open(workspace)
    from flows.inspect_mission import inspect_mission

    inspect_mission(
        workspace=opened.root,
        source=source.expanduser().resolve(),
        output=output.expanduser().resolve() if output else None,
        model=model,
        processes=processes,
    )


@app.command()
def runs(workspace: WorkspaceOption = Path()) -> None:
    """List the retrainings: id, state, data snapshot, mean detection accuracy on unseen sites."""
    opened = _open(workspace)
    from tasks.tracking import list_retrainings

    for line in list_retrainings(opened):
        typer.echo(line)


@app.command()
def restore(
    run_id: Annotated[str, typer.Argument(help="A retraining's run id (`dd-livm runs`).")],
    workspace: WorkspaceOption = Path(),
) -> None:
    """Bring `data/` back to what a retraining was trained on; what is there now is pinned first."""
    opened = _open(workspace)
    from tasks.restore import restore_run

    before, now = restore_run(opened, run_id)
    typer.echo(f"data/ is at {now}, the snapshot of run {run_id}.")
    if before:
        typer.echo(f"Before, it was at {before}: kept as .dd_livm/snapshots/{before}.pin")


@data_app.command("diff")
def data_diff(
    run_a: Annotated[str, typer.Argument(help="A retraining's run id (`dd-livm runs`).")],
    run_b: Annotated[str, typer.Argument(help="The run id of another, usually later retraining.")],
    workspace: WorkspaceOption = Path(),
) -> None:
    """Say what changed in `data/` between two retrainings: sites, missions, pairs, images, labels.

    Read from what each run kept, so that it works when `data/` has moved on.

    Example:  `dd-livm data diff 4f1c... 9be2...`
    """
    opened = _open(workspace)
    from tasks.data_difference import data_difference

    for line in data_difference(opened, run_a, run_b):
        typer.echo(line)


@app.command()
def ui(
    workspace: WorkspaceOption = Path(),
    mlflow_port: Annotated[int, typer.Option(min=1, max=65535)] = 5000,
    prefect_port: Annotated[int, typer.Option(min=1, max=65535)] = 4200,
) -> None:
    """Serve the MLflow and Prefect pages of this workspace on loopback until Ctrl-C."""
    opened = _open(workspace)
    from flows.pages import serve_pages

    serve_pages(opened, mlflow_port=mlflow_port, prefect_port=prefect_port)


def main() -> None:
    """Run the command line; a broken contract ends in one clear message and exit code 2."""
    try:
        app()
    except InputError as error:
        typer.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
