"""Missions in ``data/``: from a folder of images to checked pairs, each with a row in one table.

Ways in, in order: `pairing.pair_folder` finds pairs, `ingestion.ingest_mission` copies them into ``data/``,
`manifest.build_manifest` makes the table of all pairs, `contract.CONTRACT` holds the rules it must satisfy.
"""
