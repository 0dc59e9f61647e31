"""Nothing leaves the machine: every library that would report or look for updates is told not to."""

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


def silence() -> None:
    """Set each switch that the user has not set."""
    for switch, value in SILENCE.items():
        os.environ.setdefault(switch, value)
