"""Hold the manifest against the data contract: Great Expectations checkpoint, Data Docs, quarantine."""

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import get_run_logger, task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.configuration import ContractLimits
from dd_livm_core.contract import CONTRACT, quarantine_reasons, with_distance
from dd_livm_core.errors import InputError
from dd_livm_core.manifest import read_manifest, write_manifest
from tasks.manifest import MANIFEST, manifest_path
from tasks.step import Reference, Step
from tasks.workspace import Workspace

DATA_DOCS = "data_docs"
SUMMARY = "validation.json"
KEY = ["site_id", "mission_id", "pair_id"]

validate_step = Step("validate", "1", ("tasks.validate",))


class Validation(BaseModel):
    """What the contract said: the accepted manifest and the counts."""

    model_config = ConfigDict(frozen=True)

    accepted: Reference
    pairs: int
    set_aside: int
    warnings: tuple[str, ...]

    def documents(self, workspace: Workspace) -> list[Path]:
        """Return the Data Docs folder and the summary."""
        folder = self.accepted.folder(workspace)
        return [folder / DATA_DOCS, folder / SUMMARY]


def run_checkpoint(manifest: pd.DataFrame, destination: Path) -> dict[str, Any]:
    """Run the contract as one Great Expectations checkpoint and leave its Data Docs in ``destination``."""
    import great_expectations as gx  # here: it takes seconds to import
    from great_expectations.checkpoint import UpdateDataDocsAction

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        context = gx.get_context(mode="file", project_root_dir=folder)
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("manifest").add_dataframe_asset("image pairs")
        batch = asset.add_batch_definition_whole_dataframe("all pairs")
        suite = context.suites.add(gx.ExpectationSuite(name="pair contract"))
        for rule in CONTRACT:
            expectation = getattr(gx.expectations, rule.expectation)
            suite.add_expectation(expectation(**rule.kwargs, notes=rule.reason))
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name="pairs against the contract", data=batch, suite=suite)
        )
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(
                name="data contract",
                validation_definitions=[definition],
                actions=[UpdateDataDocsAction(name="data docs")],
                result_format={"result_format": "SUMMARY"},
            )
        )
        outcome = checkpoint.run(batch_parameters={"dataframe": manifest})
        shutil.copytree(Path(folder) / "gx/uncommitted/data_docs/local_site", destination)
    (result,) = outcome.run_results.values()
    return dict(result.to_json_dict())


def _write(manifest: pd.DataFrame, folder: Path) -> None:
    checked = run_checkpoint(with_distance(manifest), folder / DATA_DOCS)
    broken = [
        rule.reason
        for rule, result in zip(CONTRACT, checked["results"], strict=True)
        if not result["success"] and rule.severity == "warn"
    ]
    reasons = quarantine_reasons(manifest)
    aside = manifest[KEY].merge(reasons[KEY].drop_duplicates(), on=KEY, how="left", indicator=True)
    accepted = manifest[(aside["_merge"] == "left_only").to_numpy()].reset_index(drop=True)
    write_manifest(accepted, folder / MANIFEST)
    summary = {
        "pairs": len(manifest),
        "set_aside": len(manifest) - len(accepted),
        "warnings": broken,
        "quarantine": reasons.to_dict("records"),
    }
    (folder / SUMMARY).write_text(json.dumps(summary, indent=2))


@task(
    name="validate",
    version="1",
    task_run_name="validate: data contract",
    cache_key_fn=validate_step,
    persist_result=True,
    result_serializer="json",
)
def validate(workspace: Workspace, manifest: Reference, limits: ContractLimits) -> Validation:
    """Check every pair against the contract and set the failing ones aside, as references with reasons.

    Raises
    ------
    InputError
        More than ``limits.max_quarantined_pct`` of the pairs failed, or all of them.
    """
    parameters = {"workspace": workspace, "manifest": manifest, "limits": limits}
    pairs = read_manifest(manifest_path(workspace, manifest))
    accepted = validate_step.produce(workspace, parameters, lambda folder: _write(pairs, folder))
    folder = accepted.folder(workspace)
    summary = json.loads((folder / SUMMARY).read_text())
    log = get_run_logger()
    if summary["quarantine"]:
        kept = workspace.quarantine / f"{folder.name}.json"
        kept.parent.mkdir(exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(json.dumps(summary["quarantine"], indent=2))
        unfinished.replace(kept)
        log.warning("%d of %d pairs set aside: %s", summary["set_aside"], summary["pairs"], kept)
    for warning in summary["warnings"]:
        log.warning("Contract: %s", warning)
    share = 100 * summary["set_aside"] / summary["pairs"]
    if share > limits.max_quarantined_pct or summary["set_aside"] == summary["pairs"]:
        first = summary["quarantine"][0]
        raise InputError(
            f"at most {limits.max_quarantined_pct:g} % of the pairs set aside",
            f"{share:.1f} % ({summary['set_aside']} of {summary['pairs']}), first {first}",
            folder / DATA_DOCS / "index.html",
            "Mend or remove those pairs, or raise contract.max_quarantined_pct.",
        )
    return Validation(
        accepted=accepted,
        pairs=summary["pairs"],
        set_aside=summary["set_aside"],
        warnings=tuple(summary["warnings"]),
    )
