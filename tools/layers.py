"""The layers of the package: what may import what.

``tests/test_architecture.py`` holds the code to this table, and
``docs/architecture.md`` draws it.
"""

from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

PACKAGE = Path(__file__).parents[1] / "sklearn_rnn"

# A subpackage may import from itself and from the layers below its own.
LAYERS = (
    {"_core"},
    {"_nn"},
    {"_data"},
    {"_training"},
    {"datasets", "metrics", "model_selection", "preprocessing", "text"},
    {"streaming"},
    {"energy", "forecasting", "generation", "supervised", "translation"},
    {"conformance", "inspection", "persistence"},
    {"display"},
)

# Neither torch nor skorch is imported by any of these, at any depth.
WITHOUT_TORCH = (
    *("datasets", "energy", "metrics", "model_selection", "preprocessing", "text"),
    *("conformance", "display", "inspection", "persistence"),
)

PUBLIC, SHARED = "#cfe8ef", "#e8e4dc"


def draw_layers() -> Figure:
    """Draw the subpackages that exist, with layer 0 at the bottom."""
    fig, ax = plt.subplots(figsize=(9, 4.5))
    for height, layer in enumerate(LAYERS):
        names = sorted(name for name in layer if (PACKAGE / name).is_dir())
        width = 10 / len(names)
        ax.text(-0.2, height, f"layer {height}", ha="right", va="center")
        for k, name in enumerate(names):
            color = SHARED if name.startswith("_") else PUBLIC
            without_torch = name in WITHOUT_TORCH
            ax.barh(
                height,
                width - 0.12,
                left=k * width,
                height=0.72,
                color=color,
                edgecolor="#44546a",
                linestyle="--" if without_torch else "-",
            )
            middle = k * width + (width - 0.12) / 2
            ax.text(middle, height, name, ha="center", va="center", fontsize=9)
    ax.annotate(
        "imports",
        xy=(10.7, -0.4),
        xytext=(10.7, len(LAYERS) - 0.7),
        arrowprops={"arrowstyle": "->"},
        ha="center",
        va="center",
    )
    ax.set(xlim=(-1.3, 11.2), ylim=(-0.6, len(LAYERS) - 0.4))
    ax.axis("off")
    return fig
