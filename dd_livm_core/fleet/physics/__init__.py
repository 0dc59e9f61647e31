"""Physics of a simulated station: the sun (`sun`), clouds (`clouds`), temperatures of PV modules (`thermal`)."""
