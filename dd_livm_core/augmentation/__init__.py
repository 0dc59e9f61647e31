"""Hotspot-driven augmentation: real hotspots under other sun and wind.

Way in: `weather.HotspotWeather`, a transform for Albumentations. `signal` separates hotspots from noise,
`rendering` brings them to the drawn weather.
"""
