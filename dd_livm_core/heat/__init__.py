"""Heat in a PV module: diffusion, losses, and the exact transfer from one weather to another.

Ways in: `diffusion.steady_excess`, `diffusion.transient_excess`, `diffusion.weather_transfer`. `laminate` holds what
a PV module is made of and how it loses heat, `finite_volumes` solves where the conductance changes from pixel to pixel.
"""
