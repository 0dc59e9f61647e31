"""Prefect flows and the command line over them."""

import tasks  # noqa: F401  turns telemetry off before Prefect is imported
