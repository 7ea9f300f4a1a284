"""How many patterns a memory holds."""

import numpy as np

from sklearn_rnn.display._axes import axes_for
from sklearn_rnn.energy import capacity_curve, hebb_overlap


class CapacityDisplay:
    """Overlap of recalled and stored patterns against load.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    loads : ndarray of shape (n_loads,)
        Patterns a unit.
    overlaps : ndarray of shape (n_loads, n_repeats)
        Mean product of recalled and stored units, as of :func:`capacity_curve`.
    theory : bool, default=False
        Whether to draw what mean-field theory says of Hebb's rule.
    name : str or None, default=None
        What to call the curve.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Their figure.
    line_ : matplotlib Line2D
        Means over the repeats.
    fill_ : matplotlib PolyCollection
        From the least to the greatest of the repeats.
    theory_line_ : matplotlib Line2D or None
        The theory.

    See Also
    --------
    capacity_curve : The numbers.
    hebb_overlap : The theory.

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
        """Measure and draw; the theory comes with ``rule="hebb"``.

        Parameters
        ----------
        estimator : HopfieldDenoiser
            The memory, fitted or not: it is cloned and fitted to random patterns.
        n_features : int, default=500
            Units of a pattern.
        loads : array-like of shape (n_loads,) or None, default=None
            Patterns a unit. None is 12 of them from 0.02 to 0.24.
        n_repeats : int, default=3
            Sets of patterns a load.
        flipped : float, default=0.0
            Share of the units flipped before recall, from 0 to 1.
        random_state : int, RandomState instance or None, default=None
            Draws patterns and flips.
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` for the curve.

        Returns
        -------
        display : CapacityDisplay
            The picture.
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
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` for the curve.

        Returns
        -------
        display : CapacityDisplay
            The picture.
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
                fine, hebb_overlap(fine), color="black", ls="--", label="theory of hebb"
            )
        self.ax_.set(xlabel="Load (patterns a unit)", ylabel="Overlap with the pattern")
        self.ax_.legend()
        return self
