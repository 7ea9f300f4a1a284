"""The way down to a stored pattern."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn.display._axes import axes_for


class EnergyDisplay:
    """Energy of a Hopfield network against updates, a line for each row.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    energies : ndarray of shape (n_samples, 1 + n_updates)
        Before the first update and after each one, as ``energy_trace`` of
        :meth:`HopfieldDenoiser.recall`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : list of matplotlib Line2D
        A line a row.

    See Also
    --------
    HopfieldDisplay : The patterns themselves.

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
        """Recall the rows of X and draw how their energies change.

        Parameters
        ----------
        estimator : HopfieldDenoiser
            A fitted memory.
        X : array-like of shape (n_samples, n_features)
            Where to start from.
        clamp : array-like of bool, default=None
            Units that stay, as in :meth:`HopfieldDenoiser.recall`.
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot``.

        Returns
        -------
        display : EnergyDisplay
            The picture.
        """
        check_is_fitted(estimator)
        display = cls(estimator.recall(X, clamp, trace=True).energy_trace)
        return display.plot(ax=ax, **line_kw)

    def plot(self, *, ax=None, **line_kw):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot``.

        Returns
        -------
        display : EnergyDisplay
            The picture.
        """
        self.ax_, self.figure_ = axes_for(self, ax)
        line_kw = {"drawstyle": "steps-post"} | line_kw
        self.lines_ = self.ax_.plot(np.asarray(self.energies).T, **line_kw)
        self.ax_.set(xlabel="Update", ylabel="Energy")
        return self
