"""Say which files this machine reads temperatures from."""

from pathlib import Path

import typer

from dd_livm_core.errors import InputError


def report_readers() -> None:
    """Say which readers of temperatures this machine has, and how to get the others.

    TIFF and FLIR's JPEG are always read. DJI's R-JPEG needs one of two programs of others: where both are there,
    their temperatures are compared, and `ingest` says where they differ.
    """
    from dd_livm_core.camera_files import dji, dji_program, dji_sdk

    _report("TIFF, 16-bit or float", "read here, where its unit is declared")
    _report("FLIR radiometric JPEG, DJI XT2 and XT R", "read here")
    _report("DJI R-JPEG by dji-thermal-cli", _program_state(dji_program.find_program()))
    _report("DJI R-JPEG by DJI's Thermal SDK", _sdk_state(dji_sdk.find_sdk()))
    if not dji.has_reader():
        typer.echo("DJI R-JPEG are taken as pictures: they give shape only, never a ΔT.")


def _report(files: str, state: str) -> None:
    typer.echo(f"{files}: {state}")


def _program_state(program: Path | None) -> str:
    """Return whether dji-thermal-cli runs, or how to get it."""
    from dd_livm_core.camera_files.dji_program import TODO, program_version

    if program is None:
        return f"not here. {TODO} It stands under the AGPL-3.0 and runs as a program of its own."
    try:
        return f"version {program_version(program)} at {program}"
    except InputError as error:
        return f"does not work. {error}"


def _sdk_state(library: Path | None) -> str:
    """Return whether DJI's SDK loads, or how to get it."""
    from dd_livm_core.camera_files.dji_sdk import TODO, load_sdk

    if library is None:
        return f"not here. {TODO}"
    try:
        load_sdk(library)
    except InputError as error:
        return f"does not work. {error}"
    return f"loads from {library}"
