"""Prefect flows and the command line over them."""

import tasks  # noqa: F401  telemetry is off before Prefect is imported
