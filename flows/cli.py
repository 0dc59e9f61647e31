"""The command line: each command runs one flow, or shows or restores what flows left."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.data_commands import data_app, labels_app, sites_app
from flows.doctor_command import report_readers
from flows.ingest_command import ingest_images
from flows.pretrain_command import pretrain_base
from flows.simulate_command import simulate_stations
from flows.terminal import plain_error, show_what_the_terminal_can
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
        help="Table of the configuration file. Bundled: `demo` is quick, `standard` is thorough."
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Your own TOML file of profiles. Default: the bundled file."),
]


@app.command()
def demo(
    workspace: WorkspaceOption = Path(),
    processes: ProcessesOption = CORES,
) -> None:
    """Show the main job on simulated stations: render, validate, align, train, score, register, inspect.

    Renders three simulated stations where `data/` is empty, and uses the labelled missions there where it is not.
    Takes a few minutes on two cores. Interrupted, run it again: finished steps are reused.
    """
    opened = open_workspace(workspace, runs_flow=True)
    from flows.demo import run_demo
    from flows.terminal import show_input_errors_plainly

    show_input_errors_plainly()
    run_demo(opened, processes)


app.command("simulate")(simulate_stations)
app.command("doctor")(report_readers)
app.command("pretrain")(pretrain_base)
app.command("ingest")(ingest_images)


@app.command()
def retrain(
    workspace: WorkspaceOption = Path(),
    profile: ProfileOption = "standard",
    config: ConfigOption = None,
    processes: ProcessesOption = CORES,
) -> None:
    """Train on the labelled missions in `data/`, score every site, register the model.

    Some sites are kept from training and scored as unseen. Interrupted, run it again: finished steps are reused, and
    training goes on from its last finished epoch.

    Keys of a profile: `contract.max_quarantined_pct`, `evaluation.held_out_sites`,
    `promotion.min_mean_gain_points`, `promotion.max_site_drop_points`, and those under `training`
    (see docs/configuration.md).
    """
    opened = open_workspace(workspace, runs_flow=True)
    from flows.configuration import BUNDLED_PROFILES, load_profile

    configuration = load_profile(config.expanduser() if config else BUNDLED_PROFILES, profile)
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
    opened = open_workspace(workspace, runs_flow=True)
    from tasks.register import require_version

    require_version(opened, model)  # before a server starts, which takes seconds
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
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for findings, pictures and page. Default: reports/ in the workspace, below it the source's "
            "name, and a number where another flight's report lies there."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Alias or version of the registered model.")
    ] = "champion",
    workspace: WorkspaceOption = Path(),
    processes: ProcessesOption = CORES,
) -> None:
    """Find defects in one mission; write `findings.json`, pictures of every pair and a page, `index.html`.

    Of infrared images alone it tells where hotspots are and of what shape, not what they are.

    Example:  `dd-livm inspect flights/tuesday --output reports/tuesday`
    """
    opened = open_workspace(workspace, runs_flow=True)
    from tasks.register import require_version
    from tasks.workspace import require_text

    for folder in (source.resolve(), output):
        if folder is not None:
            require_text(folder)
    require_version(opened, model)  # before a server starts, which takes seconds
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
    """Bring `data/` back to what a retraining was trained on; what is there now is pinned first, so nothing is lost."""
    opened = open_workspace(workspace)
    from tasks.restore import restore_run

    before, now = restore_run(opened, run_id)
    typer.echo(f"data/ is at {now}, the snapshot of run {run_id}.")
    if before:
        typer.echo(f"Before, it was at {before}: kept as .dd_livm/snapshots/{before}.pin")


@app.command()
def ui(
    workspace: WorkspaceOption = Path(),
    mlflow_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of MLflow's page.")
    ] = 5000,
    prefect_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of Prefect's page.")
    ] = 4200,
) -> None:
    """Serve the MLflow and Prefect pages of a workspace, to this machine only, until Ctrl-C."""
    opened = open_workspace(workspace)
    from flows.pages import serve_pages

    serve_pages(opened, mlflow_port=mlflow_port, prefect_port=prefect_port)


def main() -> None:
    """Run the command line; bad input, or a disk that cannot be written, ends in one clear message and exit code 2."""
    show_what_the_terminal_can()
    try:
        app()
    except Exception as error:
        told = plain_error(error)
        if told is None:
            raise
        typer.secho("Error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(str(told), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
