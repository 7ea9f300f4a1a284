"""Capacity of a memory: quality of recall against the number of patterns."""

import numpy as np

from sklearn_rnn.display._axes import axes_for
from sklearn_rnn.energy import capacity_curve, hebb_overlap


class CapacityDisplay:
    """Overlap of recalled and stored patterns against the load of a memory.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    loads : ndarray of shape (n_loads,)
        Number of stored patterns per unit.
    overlaps : ndarray of shape (n_loads, n_repeats)
        Mean product of recalled and stored units, as
        :func:`~sklearn_rnn.energy.capacity_curve` returns it.
    theory : bool, default=False
        Whether to draw the overlap that mean-field theory predicts for Hebb's rule.
    name : str or None, default=None
        Name of the curve for the legend; None is "measured".

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    line_ : matplotlib Line2D
        Mean overlap of the repeats.
    fill_ : matplotlib PolyCollection
        Area from the smallest to the largest overlap of the repeats.
    theory_line_ : matplotlib Line2D or None
        Overlap that theory predicts; None without ``theory``.

    See Also
    --------
    sklearn_rnn.energy.capacity_curve : Measures the overlaps.
    sklearn_rnn.energy.hebb_overlap : Overlap that theory predicts for Hebb's rule.

    Examples
    --------
    >>> from sklearn_rnn import HopfieldDenoiser
    >>> from sklearn_rnn.display import CapacityDisplay
    >>> display = CapacityDisplay.from_estimator(
    ...     HopfieldDenoiser(), n_features=100, loads=[0.05, 0.1, 0.2], random_state=0
    ... )
    """

    def __init__(self, loads, overlaps, *, theory=False, name=None):
        self.loads = loads
        self.overlaps = overlaps
        self.theory = theory
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        n_features=500,
        loads=None,
        n_repeats=3,
        flipped=0.0,
        random_state=None,
        ax=None,
        **line_kw,
    ):
        """Measure the overlaps and draw them, for ``rule="hebb"`` with the theory.

        Parameters
        ----------
        estimator : HopfieldDenoiser
            Memory, fitted or not. It is cloned and fitted to random patterns.
        n_features : int, default=500
            Number of units per pattern.
        loads : array-like of shape (n_loads,) or None, default=None
            Number of stored patterns per unit. None takes 12 loads from 0.02 to 0.24.
        n_repeats : int, default=3
            Number of sets of random patterns per load.
        flipped : float, default=0.0
            Fraction of the units that are flipped before recall, from 0 to 1.
        random_state : int, RandomState instance or None, default=None
            Seed of the random patterns and flips.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` for the curve.

        Returns
        -------
        display : CapacityDisplay
            The display.
        """
        curve = capacity_curve(
            estimator,
            n_features=n_features,
            loads=loads,
            n_repeats=n_repeats,
            flipped=flipped,
            random_state=random_state,
        )
        rule = getattr(estimator, "rule", None)
        display = cls(curve.loads, curve.overlaps, theory=rule == "hebb", name=rule)
        return display.plot(ax=ax, **line_kw)

    def plot(self, *, ax=None, **line_kw):
        """Draw the mean overlap and the range of the repeats.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` for the curve.

        Returns
        -------
        display : CapacityDisplay
            The display.
        """
        self.ax_, self.figure_ = axes_for(self, ax)
        loads, overlaps = np.asarray(self.loads), np.asarray(self.overlaps)
        line_kw = {"marker": "o", "label": self.name or "measured"} | line_kw
        (self.line_,) = self.ax_.plot(loads, overlaps.mean(axis=1), **line_kw)
        self.fill_ = self.ax_.fill_between(
            loads,
            overlaps.min(axis=1),
            overlaps.max(axis=1),
            color=self.line_.get_color(),
            alpha=0.3,
        )
        self.theory_line_ = None
        if self.theory:
            fine = np.linspace(0.001, loads.max(), 1000)
            (self.theory_line_,) = self.ax_.plot(
                fine,
                hebb_overlap(fine),
                color="black",
                ls="--",
                label="hebb, theory",
            )
        self.ax_.set(
            xlabel="Load (patterns per unit)", ylabel="Overlap with the stored pattern"
        )
        self.ax_.legend()
        return self
