"""One configuration for the whole main job: frozen, typed, unknown keys refused, one TOML file of profiles."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.judgement.promotion import PromotionGates
from dd_livm_core.judgement.site_plan import EvaluationSettings
from dd_livm_core.missions.contract import ContractLimits
from dd_livm_core.training.configuration import TrainingConfig

BUNDLED_PROFILES = Path(__file__).with_name("profiles.toml")


class RetrainConfiguration(BaseModel):
    """Everything that decides what a retraining does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contract: ContractLimits = ContractLimits()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationSettings = EvaluationSettings()
    promotion: PromotionGates = PromotionGates()


def load_profile(path: Path, name: str) -> RetrainConfiguration:
    """Read one named profile (a top-level table) of a TOML file.

    Raises
    ------
    InputError
        No such file or profile, broken TOML, an unknown key or a value out of bounds.
    """
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            "a TOML file of profiles", str(error), path, "Give another file with --config."
        ) from error
    if name not in profiles:
        raise InputError(
            f"one of the profiles {', '.join(sorted(profiles)) or '(none)'}",
            repr(name),
            path,
            "Choose one with --profile, or add the table to the file.",
        )
    try:
        return RetrainConfiguration.model_validate(profiles[name])
    except ValidationError as error:
        wrong = "; ".join(
            f"{name}.{'.'.join(map(str, issue['loc']))}: {issue['msg']} (found {issue['input']!r})"
            for issue in error.errors()
        )
        raise InputError(
            "known keys with values in their bounds",
            wrong,
            path,
            "`dd-livm retrain --help` names the keys.",
        ) from error
