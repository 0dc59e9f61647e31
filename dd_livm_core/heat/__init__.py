"""Heat in a PV module: diffusion, losses, and the exact transfer from one weather to another.

Ways in: `diffusion.steady_excess`, `diffusion.transient_excess`, `diffusion.weather_transfer`.
"""
