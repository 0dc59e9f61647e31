"""The configuration of a retraining, and the TOML file of profiles that it is read from."""

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
    """Everything beside data and code that decides a retraining's result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contract: ContractLimits = ContractLimits()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationSettings = EvaluationSettings()
    promotion: PromotionGates = PromotionGates()


def load_profile(path: Path, name: str) -> RetrainConfiguration:
    """Return the configuration in one profile, a top-level table, of a TOML file.

    Raises
    ------
    InputError
        There is no such file or profile, the TOML is broken, a key is unknown or a value out of its bounds.
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
