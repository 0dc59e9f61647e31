"""The command line: each command is one flow or one look at what the flows left."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dd_livm_core.errors import InputError
from dd_livm_core.records import TemperatureUnit
from flows.data_commands import data_app, labels_app, sites_app
from flows.doctor_command import report_readers
from flows.simulate_command import simulate_stations
from flows.workspace_option import CORES, ProcessesOption, WorkspaceOption, open_workspace

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Find defects in photovoltaic plants from pairs of infrared and visible drone images.

A first look, on simulated stations:  `dd-livm demo`

With your own labelled missions:  `sites add`, then `ingest`, then `retrain`, then `inspect`.""",
)
app.add_typer(sites_app, name="sites")
app.add_typer(data_app, name="data")
app.add_typer(labels_app, name="labels")

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


@app.command()
def demo(
    workspace: WorkspaceOption = Path(),
    processes: ProcessesOption = CORES,
) -> None:
    """Run the main job on simulated stations: render, validate, align, train, score, register, inspect.

    Uses the labelled missions in `data/` where there are any; renders three simulated stations where it is empty.
    A few minutes on two cores. Run it again: finished steps are reused.
    """
    opened = open_workspace(workspace)
    from flows.demo import run_demo
    from flows.terminal import show_input_errors_plainly

    show_input_errors_plainly()
    run_demo(opened, processes)


app.command("simulate")(simulate_stations)
app.command("doctor")(report_readers)


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
    emissivity: Annotated[
        float | None,
        typer.Option(
            help="Of the PV modules, as seen; in place of what FLIR and DJI files say, as the next three."
        ),
    ] = None,
    reflected: Annotated[
        float | None, typer.Option(help="degrees C of what is mirrored, such as the sky.")
    ] = None,
    distance: Annotated[
        float | None, typer.Option(help="m from the camera to the PV modules.")
    ] = None,
    humidity: Annotated[float | None, typer.Option(help="Relative, from 0 to 1.")] = None,
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
    infrared_offset: Annotated[
        float | None,
        typer.Option(help="What is added to the scaled counts.", show_default="0"),
    ] = None,
    processes: ProcessesOption = CORES,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Take a mission's images into `data/`: pair, check and copy them; originals stay untouched.

    A bad pair is set aside with its reason. Run it again after a break: only what is missing is copied.

    A `mission.json` beside the images may say more of the flight (see docs/missions.md).

    Example:  `dd-livm ingest flights/monday --site springfield --irradiance 850`
    """
    opened = open_workspace(workspace)
    from flows.ingest_command import ingest_folder, mission_record

    source = source.expanduser()
    numbers = {"scale": infrared_scale, "offset": infrared_offset}
    declared = {name: value for name, value in numbers.items() if value is not None}
    if declared and infrared_unit is None:
        where = ", ".join(f"--infrared-{name}" for name in declared)
        raise InputError("the unit of these numbers", "none", where, "Give --infrared-unit, too.")
    unit = {"unit": infrared_unit, **declared} if infrared_unit else None
    recorded = {
        "mission_id": mission,
        "irradiance_w_m2": irradiance,
        "wind_m_s": wind,
        "ambient_c": ambient,
        "emissivity": emissivity,
        "reflected_c": reflected,
        "object_distance_m": distance,
        "relative_humidity": humidity,
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
    opened = open_workspace(workspace)
    from flows.configuration import BUNDLED_PROFILES, load_profile

    configuration = load_profile(config or BUNDLED_PROFILES, profile)
    from flows.retrain import retrain as retrain_flow
    from flows.terminal import show_input_errors_plainly

    show_input_errors_plainly()
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
    opened = open_workspace(workspace)
    from flows.evaluate_sites import evaluate_sites
    from flows.terminal import show_input_errors_plainly

    show_input_errors_plainly()
    evaluate_sites(workspace=opened.root, model=model, processes=processes)


@app.command()
def inspect(
    source: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="Folder of one mission's images, without labels."
        ),
    ],
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
    opened = open_workspace(workspace)
    from flows.inspect_mission import inspect_mission
    from flows.terminal import show_input_errors_plainly

    show_input_errors_plainly()
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
    opened = open_workspace(workspace)
    from tasks.tracking import list_retrainings

    for line in list_retrainings(opened):
        typer.echo(line)


@app.command()
def restore(
    run_id: Annotated[str, typer.Argument(help="A retraining's run id (`dd-livm runs`).")],
    workspace: WorkspaceOption = Path(),
) -> None:
    """Bring `data/` back to what a retraining was trained on; what is there now is pinned first."""
    opened = open_workspace(workspace)
    from tasks.restore import restore_run

    before, now = restore_run(opened, run_id)
    typer.echo(f"data/ is at {now}, the snapshot of run {run_id}.")
    if before:
        typer.echo(f"Before, it was at {before}: kept as .dd_livm/snapshots/{before}.pin")


@app.command()
def ui(
    workspace: WorkspaceOption = Path(),
    mlflow_port: Annotated[int, typer.Option(min=1, max=65535)] = 5000,
    prefect_port: Annotated[int, typer.Option(min=1, max=65535)] = 4200,
) -> None:
    """Serve the MLflow and Prefect pages of this workspace on loopback until Ctrl-C."""
    opened = open_workspace(workspace)
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
