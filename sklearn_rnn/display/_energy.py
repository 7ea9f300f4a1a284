"""Energy of a Hopfield network during recall."""

import numpy as np

from sklearn_rnn.display._axes import axes_for, number_places
from sklearn_rnn.inspection._models import find_memory


class EnergyDisplay:
    """Energy of a Hopfield network after each update, one line per row.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    energies : ndarray of shape (n_samples, 1 + n_updates)
        Energy before the first update and after each update, such as ``energy_trace``
        of :meth:`~sklearn_rnn.HopfieldDenoiser.recall`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of matplotlib Line2D
        One line per row.

    See Also
    --------
    HopfieldDisplay : Patterns before and after recall.

    Examples
    --------
    >>> from sklearn_rnn import HopfieldDenoiser
    >>> from sklearn_rnn.datasets import load_letters
    >>> from sklearn_rnn.display import EnergyDisplay
    >>> letters = load_letters().data[:3]
    >>> memory = HopfieldDenoiser(random_state=0).fit(letters)
    >>> display = EnergyDisplay.from_estimator(memory, 1 - letters)
    """

    def __init__(self, energies):
        self.energies = energies

    @classmethod
    def from_estimator(cls, estimator, X, *, clamp=None, ax=None, **line_kw):
        """Recall the rows of X and draw their energies.

        Parameters
        ----------
        estimator : estimator
            Fitted HopfieldDenoiser, or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Patterns from which recall starts, or what the Pipeline turns into patterns.
        clamp : array-like of bool of shape (n_features,) or (n_samples, n_features), \
default=None
            Units that recall does not change, as in
            :meth:`~sklearn_rnn.HopfieldDenoiser.recall`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot``.

        Returns
        -------
        display : EnergyDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not a HopfieldDenoiser.
        """
        memory, X, _ = find_memory(estimator, X)
        display = cls(memory.recall(X, clamp, trace=True).energy_trace)
        return display.plot(ax=ax, **line_kw)

    def plot(self, *, ax=None, **line_kw):
        """Draw one line per row.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot``.

        Returns
        -------
        display : EnergyDisplay
            The display.
        """
        self.ax_, self.figure_ = axes_for(self, ax)
        line_kw = {"drawstyle": "steps-post"} | line_kw
        self.lines_ = self.ax_.plot(np.asarray(self.energies).T, **line_kw)
        number_places(self.ax_.xaxis)
        self.ax_.set(xlabel="Update", ylabel="Energy")
        return self
