"""The science of DD-LIVM: registration, heat, hotspots, detection. Imports no orchestrator."""
