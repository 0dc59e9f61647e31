"""Prefect tasks, one file per step: read a reference, call the core, write, log.

Importing the package turns telemetry off: Prefect, Albumentations and the rest read their switches
when they are imported, so this is the one thing that has to happen at import.
"""

from tasks.telemetry import silence

silence()
