"""Color maps, and text that can be read on any color."""

import numpy as np


def choose_colors(values, *, kind="auto"):
    """The name of a color map, and limits of the colors.

    ``kind="fraction"`` is for numbers from 0 to 1. Otherwise, values of both signs have
    a diverging map centered at 0.
    """
    if kind == "fraction":
        return {"cmap": "viridis", "vmin": 0.0, "vmax": 1.0}
    finite = np.asarray(values)[np.isfinite(values)]
    if len(finite) and finite.min() < 0:
        limit = float(np.abs(finite).max())
        return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    top = float(finite.max()) if len(finite) and finite.max() > 0 else 1.0
    return {"cmap": "Blues", "vmin": 0.0, "vmax": top}


def merge_colors(colors, kw):
    """Options of ``imshow``; a norm of the user replaces the limits."""
    if "norm" in kw:
        colors = {"cmap": colors["cmap"]}
    return colors | kw


def is_dark(color):
    """Whether white text can be read better than black text on a color (r, g, b)."""
    channels = np.asarray(color[:3])
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return bool(linear @ [0.2126, 0.7152, 0.0722] < 0.179)
