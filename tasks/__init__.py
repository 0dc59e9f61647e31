"""Prefect tasks, one file per step: read a reference, call the core, write, log."""
