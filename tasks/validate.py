"""Check the manifest against the data contract: Great Expectations checkpoint, Data Docs, quarantine."""

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from pydantic import BaseModel, ConfigDict

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.missions.contract import (
    CONTRACT,
    ContractLimits,
    Rule,
    Severity,
    add_derived_columns,
)
from dd_livm_core.missions.manifest import KEY, read_manifest, write_manifest
from tasks.data_docs import PAGE, write_stand_alone_page
from tasks.manifest import MANIFEST, manifest_path
from tasks.step import Reference, Step
from tasks.workspace import Workspace

DATA_DOCS = "data_docs"
SUMMARY = "validation.json"

validate_step = Step("validate", "1", ("tasks.validate",))


class Validation(BaseModel):
    """The outcome of the contract: the manifest of accepted pairs, counts of pairs, and rules that only warn."""

    model_config = ConfigDict(frozen=True)

    accepted: Reference
    pairs: int
    set_aside: int
    warnings: tuple[str, ...]

    def documents(self, workspace: Workspace) -> list[Path]:
        """Return the Data Docs folder and the summary."""
        folder = self.accepted.folder(workspace)
        return [folder / DATA_DOCS, folder / SUMMARY]


class Finding(BaseModel):
    """The outcome of one rule of the contract.

    Attributes
    ----------
    pairs
        Key and offending values of every pair that breaks it; empty where the rule is about all pairs at once.
    """

    model_config = ConfigDict(frozen=True)

    reason: str
    severity: Severity
    kept: bool
    pairs: tuple[dict[str, Any], ...]


def run_checkpoint(manifest: pd.DataFrame, destination: Path) -> list[Finding]:
    """Run the contract on a manifest as one Great Expectations checkpoint, and write its page to ``destination``.

    Returns
    -------
    One finding per rule, in the contract's order.
    """
    import great_expectations as gx  # here: it takes seconds to import
    from great_expectations.checkpoint import UpdateDataDocsAction

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        context = gx.get_context(mode="file", project_root_dir=folder)
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("manifest").add_dataframe_asset("image pairs")
        batch = asset.add_batch_definition_whole_dataframe("all pairs")
        suite = context.suites.add(gx.ExpectationSuite(name="pair contract"))
        for number, rule in enumerate(CONTRACT):
            expectation = getattr(gx.expectations, rule.expectation)
            suite.add_expectation(
                expectation(**rule.kwargs, description=_describe(rule), meta={"rule": number})
            )
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name="pairs against the contract", data=batch, suite=suite)
        )
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(
                name="data contract",
                validation_definitions=[definition],
                actions=[UpdateDataDocsAction(name="data docs")],
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": KEY,
                    "return_unexpected_index_query": False,
                },
            )
        )
        outcome = checkpoint.run(batch_parameters={"dataframe": add_derived_columns(manifest)})
        write_stand_alone_page(Path(folder) / "gx/uncommitted/data_docs/local_site", destination)
    (result,) = outcome.run_results.values()
    return _read_findings(result.to_json_dict()["results"])


def _describe(rule: Rule) -> str:
    """Return what the page says of a rule: its reason, its bounds, and whether it sets pairs aside."""
    named = ", ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in rule.kwargs.items()
        if name not in ("column", "ignore_row_if") and value is not None
    )
    outcome = "sets pairs aside" if rule.severity == "quarantine" else "only warns"
    return f"{rule.reason}{f' ({named})' if named else ''}; {outcome}"


def _read_findings(results: Sequence[dict[str, Any]]) -> list[Finding]:
    """Return one finding per rule, in the contract's order, from the checkpoint's results.

    Raises
    ------
    RuntimeError
        A rule could not be evaluated: its column is missing, for example.
    """
    by_rule = {result["expectation_config"]["meta"]["rule"]: result for result in results}
    findings = []
    for number, rule in enumerate(CONTRACT):
        result = by_rule[number]
        if result["exception_info"].get("raised_exception", True):
            raise RuntimeError(f"{rule.reason}: {result['exception_info']}")
        broken = result["result"].get("unexpected_index_list") or ()
        findings.append(
            Finding(
                reason=rule.reason,
                severity=rule.severity,
                kept=result["success"],
                pairs=tuple(broken),
            )
        )
    return findings


def quarantine(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return one entry per pair and broken rule that sets pairs aside: the pair's key, what was expected and found."""
    return [
        {
            **{name: str(pair[name]) for name in KEY},
            "expected": finding.reason,
            "found": ", ".join(f"{k} = {v}" for k, v in pair.items() if k not in KEY),
        }
        for finding in findings
        if finding.severity == "quarantine"
        for pair in finding.pairs
    ]


def _write_outcome(manifest: pd.DataFrame, folder: Path) -> None:
    """Run the contract, and write page, accepted manifest and summary into a folder."""
    findings = run_checkpoint(manifest, folder / DATA_DOCS)
    entries = quarantine(findings)
    aside = {tuple(entry[name] for name in KEY) for entry in entries}
    kept = [
        key not in aside for key in manifest[KEY].astype(str).itertuples(index=False, name=None)
    ]
    accepted = manifest[kept].reset_index(drop=True)
    write_manifest(accepted, folder / MANIFEST)
    summary = {
        "pairs": len(manifest),
        "set_aside": len(manifest) - len(accepted),
        "warnings": [f.reason for f in findings if f.severity == "warn" and not f.kept],
        "quarantine": entries,
    }
    (folder / SUMMARY).write_text(json.dumps(summary, indent=2), encoding="utf-8")


@task(
    name="validate",
    version="1",
    task_run_name="validate: data contract",
    cache_key_fn=validate_step,
    persist_result=True,
    result_serializer="json",
)
def validate(workspace: Workspace, manifest: Reference, limits: ContractLimits) -> Validation:
    """Check every pair against the contract; list those that fail, with reasons, in ``quarantine/``.

    Raises
    ------
    InputError
        More than ``limits.max_quarantined_pct`` of the pairs failed, or all of them.
    """
    parameters = {"workspace": workspace, "manifest": manifest, "limits": limits}
    pairs = read_manifest(manifest_path(workspace, manifest))
    accepted = validate_step.produce(
        workspace, parameters, lambda folder: _write_outcome(pairs, folder)
    )
    folder = accepted.folder(workspace)
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    page = folder / DATA_DOCS / PAGE
    create_markdown_artifact(
        _format_outcome(summary, page),
        key="data-contract",
        description="Pairs held against the data contract",
    )
    log = get_run_logger()
    if summary["quarantine"]:
        kept = workspace.quarantine / f"{folder.name}.json"
        kept.parent.mkdir(exist_ok=True)
        write_json(kept, summary["quarantine"])
        log.warning("%d of %d pairs set aside: %s", summary["set_aside"], summary["pairs"], kept)
    for warning in summary["warnings"]:
        log.warning("Contract: %s", warning)
    share = 100 * summary["set_aside"] / summary["pairs"]
    if share > limits.max_quarantined_pct or summary["set_aside"] == summary["pairs"]:
        first = summary["quarantine"][0]
        raise InputError(
            f"at most {limits.max_quarantined_pct:g} % of the pairs set aside",
            f"{share:.1f} % ({summary['set_aside']} of {summary['pairs']}), first {first}",
            page,
            "Repair or remove those pairs, or raise contract.max_quarantined_pct.",
        )
    return Validation(
        accepted=accepted,
        pairs=summary["pairs"],
        set_aside=summary["set_aside"],
        warnings=tuple(summary["warnings"]),
    )


def _format_outcome(summary: Mapping[str, Any], page: Path) -> str:
    """Return a summary as Markdown for Prefect's page; ``page`` is the Data Docs page that it links to."""
    reasons = Counter(entry["expected"] for entry in summary["quarantine"])
    aside = [f"| {reason} | {count} |" for reason, count in reasons.most_common()]
    table = ["| rule | pairs set aside |", "|---|---|", *aside] if aside else []
    warnings = [f"- {warning}" for warning in summary["warnings"]]
    return "\n".join(
        [
            f"{summary['set_aside']} of {summary['pairs']} pairs set aside. "
            f"Data Docs: [{page}]({page.as_uri()}), and `data_docs` among the artifacts of the MLflow run.",
            "",
            *table,
            "",
            *(["Broken rules that only warn:", "", *warnings] if warnings else []),
        ]
    )
