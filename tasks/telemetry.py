"""Keep libraries from reporting anything or looking for updates: nothing leaves the machine."""

import os

SILENCE = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}
"""Environment variable → value that turns reporting off."""


def silence() -> None:
    """Set each variable that the user has not set; call this before the libraries are imported."""
    for switch, value in SILENCE.items():
        os.environ.setdefault(switch, value)
