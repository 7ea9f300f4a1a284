"""Where a picture goes."""

from sklearn_rnn._core.sklearn_private import check_matplotlib_support


def axes_for(display, ax):
    """The axes given, or new ones, with their figure."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots()
    return ax, ax.figure
