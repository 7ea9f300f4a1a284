"""HopfieldDenoiser: the Hopfield network as an estimator."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import (
    Bunch,
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
)
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.drafts import draft, on_snapshot
from sklearn_rnn._core.randomness import draw_seed
from sklearn_rnn._core.sklearn_private import Interval, StrOptions, _fit_context
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn._data.cells import name_in_errors
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn.energy._hopfield_capacity import (
    capacity,
    find_lost,
    warn_about_patterns,
)
from sklearn_rnn.energy._hopfield_dynamics import (
    Dynamics,
    Trace,
    find_stable,
    plan_recall_temperatures,
    recall,
)
from sklearn_rnn.energy._hopfield_rules import RULES, learn, round_for_exact_sums
from sklearn_rnn.energy._patterns import validate_patterns
from sklearn_rnn.energy._spin_networks import DenseNetwork, PairwiseNetwork


def check_thresholds(thresholds, n_units):
    """Validate user-given thresholds; return a new array of shape (n_units,)."""
    thresholds = unwrap(thresholds, "thresholds")
    thresholds = check_array(thresholds, ensure_2d=False, dtype=float, copy=True)
    if thresholds.shape != (n_units,):
        raise ValueError(
            f"thresholds has the shape {thresholds.shape}, but X has {n_units} "
            f"features. Pass an array of shape ({n_units},), 'zero' or 'learned'."
        )
    return thresholds


def check_clamped_units(clamp, shape):
    """Validate ``clamp``; return a mask of shape (n_samples, n_features)."""
    clamp = np.asarray(unwrap(clamp, "clamp"))
    if clamp.shape not in (shape, shape[1:]) or clamp.dtype != bool:
        raise ValueError(
            f"clamp is an array of {clamp.dtype} of shape {clamp.shape}. Pass an array "
            f"of bool that is True for each unit to keep, of the shape {shape} of X, "
            f"or of shape {shape[1:]} to keep the same units in all rows."
        )
    return np.broadcast_to(clamp, shape)


def none_label(labels):
    """Return the label of rows that match no stored pattern, in a matching dtype."""
    if labels.dtype.kind in "iuf":
        return np.array(-1)
    if labels.dtype.kind in "UT":
        return np.array("none")
    return np.array(None, dtype=object)


def check_labels_are_free(labels):
    """Raise an error if ``labels`` contain the label for rows that match no pattern."""
    none = none_label(labels).item()
    if none in labels.tolist():
        raise ValueError(
            f"y contains the label {none!r}, which predict returns for rows that "
            "match no stored pattern. Rename this label, or set min_overlap=None."
        )


class HopfieldDenoiser(OneToOneFeatureMixin, TransformerMixin, ValidatedEstimator):
    """Hopfield network that restores stored patterns from corrupted ones.

    ``fit`` stores the rows of X. ``transform`` starts the network at each row and
    updates its units until they no longer change. ``predict`` returns the label of the
    stored pattern that a row is restored to.

    Parameters
    ----------
    rule : {"hebb", "storkey", "pseudo_inverse", "perceptron", "dense"}, default="hebb"
        Learning rule, or "dense" for a network that keeps the patterns themselves. The
        rules differ in how many patterns they can store; see Notes.
    thresholds : {"zero", "learned"} or array-like of shape (n_features,), \
default="zero"
        Threshold of each unit: a unit turns on if its field reaches the threshold. Use
        "learned" if many more units are off than on, or the reverse. Hebb's and
        Storkey's rules then learn from the patterns minus their mean (covariance rule).
        The pseudo-inverse and the perceptron rule learn the thresholds as the weights
        of an additional unit that is always on. The dense rule has no learned
        thresholds. Learned thresholds of Hebb's and Storkey's rules suit rows that are
        close to a pattern; very noisy rows of only one or two patterns are restored
        more often with "zero" (see Notes).
    update : {"asynchronous", "synchronous"}, default="asynchronous"
        Whether units are updated one after another, which always ends in a stable
        state, or all at once, which may end in a cycle of two states.
    order : {"random", "fixed"}, default="random"
        Order of asynchronous updates: "random" draws a new order for each sweep, the
        same for all rows; "fixed" goes from the first unit to the last.
    temperature : float or array-like of shape (n_sweeps,), default=0.0
        Temperature of the updates. At 0 they are deterministic; above 0 units turn on
        at random (Glauber dynamics), so that rows can leave shallow minima of the
        energy. A number is the start of a linear descent to 0 over 20 sweeps; an array
        gives the temperature of each sweep. Deterministic sweeps follow. The unit of
        temperature is the mean field that keeps a unit of a stored pattern in its
        state, so that 1.0 is a high temperature for every rule. Rows have independent
        noise; see Notes.
    max_iter : int, default=100
        Maximum number of deterministic sweeps over all units.
    margin : float, default=1.0
        Stability that the perceptron rule aims at, in all units of all patterns: the
        field of a unit, divided by the norm of its weights. A larger margin makes
        recall more robust and lowers the capacity.
    beta : float, default=1.0
        Sharpness of the dense rule: each additional unit that agrees with a pattern
        multiplies the weight of this pattern by ``exp(2 beta)``. With large values a
        row is restored to the nearest pattern; with small values the network stores
        fewer patterns, see ``capacity_``.
    min_overlap : float or None, default=None
        Minimum overlap with a stored pattern, from -1 to 1, for which ``predict``
        returns its label. The overlap is the mean product of the units of the recalled
        and the stored pattern: 1 if they are equal, about 0 if they are unrelated. For
        a smaller overlap, ``predict`` returns -1 if labels are numbers, "none" if they
        are strings, and None otherwise. If ``min_overlap`` is None, each row gets the
        label of the pattern that overlaps most.
    binarize : float or None, default=0.0
        Threshold on the values of X: a unit is on if its value is greater. With None, X
        may contain only the values 0 and 1, or only -1 and 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the update orders and of the noise at temperatures above 0. It is used
        in ``fit`` only, so repeated calls of ``transform`` return the same result.

    Attributes
    ----------
    patterns_ : ndarray of shape (n_patterns, n_features)
        The stored patterns, with values -1 and +1.
    labels_ : ndarray of shape (n_patterns,)
        Labels given as y, or the index of each pattern.
    weights_ : ndarray of shape (n_features, n_features)
        Symmetric weights with a zero diagonal, for units of -1 and +1. Not set by the
        dense rule.
    thresholds_ : ndarray of shape (n_features,)
        Thresholds for units of -1 and +1.
    capacity_ : float
        Number of random patterns that the rule can be expected to store.
    n_iter_ : int
        Number of passes over the patterns in training.
    n_features_in_ : int
        Number of units, which is the number of columns of X.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Column names of X in ``fit``, if X was a data frame.

    See Also
    --------
    BoltzmannMachine : Stochastic network with hidden units that learns a distribution.
    ImageFlattener : Turns images into rows.
    capacity_curve : Measures recall against the number of stored patterns.
    sklearn_rnn.display.HopfieldDisplay : Plots stored, corrupted and recalled patterns.
    sklearn_rnn.display.EnergyDisplay : Plots the energy during recall.

    Notes
    -----
    Units s are -1 or +1. Unit i turns on if
    ``sum_j weights_[i, j] s_j >= thresholds_[i]`` and off otherwise. The left side is
    its field. Since weights are symmetric, no such update raises the energy
    ``E = -1/2 s W s + thresholds s``.

    ================  ===========================================  ==================
    rule              weights, for patterns x_m                    capacity, n units
    ================  ===========================================  ==================
    "hebb"            ``sum_m x_mi x_mj`` (Hopfield)               .138 n
    "storkey"         Hebb's rule minus what is already stored     n / sqrt(2 log n)
                      (Storkey)
    "pseudo_inverse"  projection onto the patterns (Personnaz)     n
    "perceptron"      Hebb's rule, repeated until all patterns     .36 n at margin 1,
                      are stable with a margin (Gardner)           1.4 n at margin 0
    "dense"           none: ``E = -1/beta log sum_m                2^(n / 2), less if
                      exp(beta x_m s)`` (Krotov and Hopfield,      beta is small
                      Demircigil, Ramsauer)
    ================  ===========================================  ==================

    The capacity of the perceptron rule was measured. It is 0.7 times Gardner's
    capacity, which holds for weights that need not be symmetric.

    ``transform`` returns values 0 and 1, or -1 and +1 if X consisted of -1 and 1 in
    ``fit``. All methods compare the values of their X with ``binarize``. They can
    therefore read the 0/1 patterns that ``transform`` returns only if ``binarize`` is
    at least 0 and less than 1.

    Weights are rounded to 40 to 50 bits so that fields add up exactly. A row is
    therefore restored to the same state, bit for bit, alone, in any batch and in any
    order.

    At temperatures above 0, each row has its own noise generator. Its seed combines
    ``random_state``, the units that are on in the row (and those that are clamped), and
    the number of equal rows before it in X. Repeated calls therefore return the same
    result, and different rows as well as copies of one row get independent noise. A row
    that differs from all others in X gets the same result alone, in any batch and in
    any order. The first of several copies gets the result of a row that is passed
    alone. ``recall(X, quench=False)`` returns the states at the last temperature,
    without the deterministic sweeps.

    The thresholds of the covariance rule lie halfway between the fields of units that
    are on and of units that are off in a complete pattern. Noise reduces both fields,
    but not the threshold. For example, take Hebb's rule with 100 units of which 10% are
    on, and rows with a tenth of their units flipped. If two patterns are stored, 92% of
    the rows are restored exactly with learned thresholds and 100% with zero thresholds.
    If five patterns are stored, it is 90% with learned thresholds and none with zero
    thresholds.

    A network with zero thresholds that stores a pattern also stores its negative.

    References
    ----------
    J. J. Hopfield: Neural networks and physical systems with emergent collective
    computational abilities, PNAS 79, 1982.

    A. J. Storkey, R. Valabregue: The basins of attraction of a new Hopfield learning
    rule, Neural Networks 12, 1999.

    L. Personnaz, I. Guyon, G. Dreyfus: Information storage and retrieval in spin-glass
    like neural networks, Journal de Physique Lettres 46, 1985.

    E. Gardner: The space of interactions in neural network models, Journal of Physics A
    21, 1988.

    D. Krotov, J. J. Hopfield: Dense associative memory for pattern recognition, NIPS
    2016. M. Demircigil et al.: On a model of associative memory with huge storage
    capacity, Journal of Statistical Physics 168, 2017. H. Ramsauer et al.: Hopfield
    networks is all you need, ICLR 2021.

    Examples
    --------
    >>> from sklearn_rnn import HopfieldDenoiser
    >>> from sklearn_rnn.datasets import load_letters
    >>> X, y = load_letters(return_X_y=True)
    >>> chosen = [list(y).index(letter) for letter in "JLMQT"]
    >>> memory = HopfieldDenoiser("pseudo_inverse").fit(X[chosen], y[chosen])
    >>> half_a_T = X[chosen[-1:]].copy()
    >>> half_a_T[0, 32:] = 0
    >>> memory.predict(half_a_T)
    array(['T'], dtype='<U1')
    """

    _parameter_constraints = {
        "rule": [StrOptions({*RULES, "dense"})],
        "thresholds": [StrOptions({"zero", "learned"}), "array-like"],
        "update": [StrOptions({"asynchronous", "synchronous"})],
        "order": [StrOptions({"random", "fixed"})],
        "temperature": [Interval(Real, 0, None, closed="left"), "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "min_overlap": [Interval(Real, -1, 1, closed="both"), None],
        "binarize": [Interval(Real, None, None, closed="neither"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        rule="hebb",
        *,
        thresholds="zero",
        update="asynchronous",
        order="random",
        temperature=0.0,
        max_iter=100,
        margin=1.0,
        beta=1.0,
        min_overlap=None,
        binarize=0.0,
        random_state=None,
    ):
        self.rule = rule
        self.thresholds = thresholds
        self.update = update
        self.order = order
        self.temperature = temperature
        self.max_iter = max_iter
        self.margin = margin
        self.beta = beta
        self.min_overlap = min_overlap
        self.binarize = binarize
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Store the rows of X, replacing all patterns stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns to store.
        y : array-like of shape (n_patterns,) or None, default=None
            Labels of the patterns, which ``predict`` returns. By default a pattern's
            label is its index.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is not binary with ``binarize=None``, a temperature is negative,
            ``thresholds`` has a wrong shape, or y contains the label that
            ``min_overlap`` reserves for rows that match no pattern.

        Warns
        -----
        CapacityWarning
            If there are more patterns than the rule can store, if stored patterns are
            not stable, if patterns are identical, or if all units of a pattern are on
            or all are off.
        ConvergenceWarning
            If the perceptron rule does not reach its margin.
        """
        return self._fit(X, y, reset=True)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Store additional patterns.

        The result is the same as that of a single fit of all patterns.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Additional patterns.
        y : array-like of shape (n_patterns,) or None, default=None
            Labels of the patterns. Required if the patterns stored before have labels,
            otherwise not accepted: indices then continue those stored before.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If some patterns come with labels and others without.
        """
        return self._fit(X, y, reset=not hasattr(self, "patterns_"))

    @on_snapshot
    def transform(self, X):
        """Restore a stored pattern from each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns.

        Returns
        -------
        X_recalled : ndarray of shape (n_samples, n_features)
            Stable state reached from each row, with values 0 and 1 or -1 and +1 as in
            the patterns of ``fit``.

        Warns
        -----
        ConvergenceWarning
            If rows are not stable after the last sweep. :meth:`recall` reports these
            rows without a warning.
        """
        recalled = self.recall(X)
        self._warn_about_convergence(recalled)
        return recalled.patterns

    def _warn_about_convergence(self, recalled):
        """Warn if rows alternate between two states or need more sweeps."""
        n_rows, n_open = len(recalled.converged), (~recalled.converged).sum()
        if not n_open:
            return
        if recalled.cycle.any():
            reason = (
                f"{recalled.cycle.sum()} of them alternate between two states. Set "
                "update='asynchronous', which always becomes stable"
            )
        else:
            reason = "Increase max_iter"
        warn_user(
            f"{n_open} of {n_rows} rows were not stable after at most max_iter="
            f"{self.max_iter} sweeps. {reason}, or use recall, which returns for each "
            "row whether it converged.",
            ConvergenceWarning,
        )

    @on_snapshot
    def recall(self, X, clamp=None, *, trace=False, quench=True):
        """Restore a stored pattern from each row and describe the recall.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns.
        clamp : array-like of bool of shape (n_features,) or (n_samples, n_features), \
default=None
            Units that keep their values in X because they are known to be correct.
        trace : bool, default=False
            Whether to record the energy after each update. All rows then have to fit
            into memory at once.
        quench : bool, default=True
            Whether deterministic sweeps follow the sweeps at temperatures above 0. With
            False the states after the last sweep of ``temperature`` are returned. After
            many sweeps at one temperature, such as ``temperature=np.full(50, 0.4)``,
            they are samples of its thermal equilibrium.

        Returns
        -------
        recalled : :class:`~sklearn.utils.Bunch`
            patterns : ndarray of shape (n_samples, n_features)
                Recalled states, as :meth:`transform` returns them.
            n_iter : ndarray of int of shape (n_samples,)
                Number of the last sweep that changed the row; 0 if none did.
            converged : ndarray of bool of shape (n_samples,)
                Whether the row is stable at temperature 0.
            cycle : ndarray of bool of shape (n_samples,)
                Whether synchronous updates alternate between two states, one of which
                is returned in ``patterns``.
            energy : ndarray of shape (n_samples,)
                Energy of the recalled state.
            energy_trace : ndarray of shape (n_samples, 1 + n_updates)
                With ``trace=True``: energy before the first update and after each
                update, which is one of a single unit (asynchronous) or of all units
                (synchronous).

        Raises
        ------
        ValueError
            If ``clamp`` has a wrong shape or dtype, or if ``quench=False`` at
            temperature 0.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        network = self._make_network()
        states = self._to_states(X, network.dtype).T
        energy_trace = Trace(network, states) if trace else None
        free = None if clamp is None else ~check_clamped_units(clamp, X.shape).T
        dynamics = self._make_dynamics(quench)
        found = recall(network, states, free, dynamics, energy_trace)
        patterns = found.states.T.astype(X.dtype, order="C")
        if self._low == 0:
            patterns = np.maximum(patterns, 0, out=patterns)
        recalled = Bunch(
            patterns=patterns,
            n_iter=found.n_iter,
            converged=found.converged,
            cycle=found.cycle,
            energy=found.energy,
        )
        if energy_trace is not None:
            recalled.energy_trace = np.array(energy_trace.energies).T
        return recalled

    @on_snapshot
    def predict(self, X):
        """Return the label of the stored pattern that each row is restored to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Label or index of the stored pattern that agrees with the recalled state in
            the largest number of units; in case of a tie, the one stored first. If the
            overlap with this pattern is less than ``min_overlap``, the label is -1,
            "none" or None, depending on the type of the labels.

        Warns
        -----
        ConvergenceWarning
            If rows are not stable after the last sweep.
        """
        check_is_fitted(self)
        # the output of transform is binary already: 1 is on, -1 or 0 is off
        recalled = np.where(self.transform(X) > 0, 1.0, -1.0)
        overlaps = recalled @ self.patterns_.T / self.patterns_.shape[1]
        labels = self.labels_[overlaps.argmax(axis=1)]
        if self.min_overlap is None:
            return labels
        known = overlaps.max(axis=1) >= self.min_overlap
        return np.where(known, labels, none_label(self.labels_))

    @on_snapshot
    def energy(self, X):
        """Compute the energy of each row, without recall.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            Energies, in the unit of the weights.
        """
        check_is_fitted(self)
        states = self._to_states(self._validate(X, reset=False))
        return self._make_network().stability_and_energy(states.T)[1]

    @on_snapshot
    def score(self, X, y=None):
        """Compute the fraction of rows that are recalled correctly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.
        y : array-like of shape (n_samples,) or None, default=None
            Labels or indices of the patterns that the rows are corrupted versions of.

        Returns
        -------
        score : float
            With y, the mean of ``predict(X) == y``. Without y, the fraction of rows of
            X that are stable.
        """
        check_is_fitted(self)
        if y is not None:
            check_consistent_length(X, y)
            return float(np.mean(self.predict(X) == column_or_1d(unwrap(y, "y"))))
        states = self._to_states(self._validate(X, reset=False)).T
        asynchronous = self.update == "asynchronous"
        network = self._make_network()
        stable = find_stable(network, states, None, asynchronous=asynchronous)
        return float(stable.mean())

    def _validate(self, X, *, reset):
        return validate_patterns(self, X, reset=reset, dtype=(np.float64, np.float32))

    def _to_states(self, X, dtype=np.float64):
        """Convert X to states -1 and +1, (n_samples, n_features)."""
        cut = self.binarize
        if cut is None:
            other = (X != 1) & (X != self._low)
            if other.any():
                raise ValueError(
                    f"X contains {X[other][0]:.6g}. With binarize=None, all values "
                    f"must be {self._low} and 1, in fit and in later calls. Set "
                    "binarize to the value above which a unit is on."
                )
            cut = 0.0
        with np.errstate(over="ignore"):  # of a cut that float32 cannot hold
            # np.where would take five times as long
            states = np.multiply(X > cut, 2, dtype=dtype)
            states -= 1
            return states

    def _fit(self, X, y, *, reset):
        """Store X, in addition to the patterns stored before if ``reset`` is False."""
        with draft(self) as new:
            X = new._validate(X, reset=reset)
            if reset:
                new._seed = draw_seed(self.random_state)
                is_signed = ((X == -1) | (X == 1)).all() and (X == -1).any()
                new._low = -1 if is_signed else 0
            states = new._to_states(X)
            labels = None
            if y is not None:
                with name_in_errors("y"):
                    labels = column_or_1d(unwrap(y, "y"), warn=True).copy()
                    assert_all_finite(labels, input_name="y")
            if labels is not None:
                check_consistent_length(X, labels)
            if not reset:
                labels = self._append_labels(labels)
                states = np.vstack([self.patterns_, states])
            new.patterns_ = states
            new._has_labels = labels is not None
            new.labels_ = np.arange(len(states)) if labels is None else labels
            if self.min_overlap is not None:
                check_labels_are_free(new.labels_)
            new._learn()
        return self

    def _append_labels(self, labels):
        """Return all labels, the stored ones first; None if patterns have none."""
        if self._has_labels != (labels is not None):
            given, before = ("no y", "with") if labels is None else ("y", "without")
            raise ValueError(
                f"partial_fit got {given}, but the patterns stored before came "
                f"{before} labels. Pass y for all patterns or for none."
            )
        return labels if labels is None else np.concatenate([self.labels_, labels])

    def _learn(self):
        """Set the fitted attributes that follow from patterns and parameters."""
        n_units = self.patterns_.shape[1]
        self.capacity_ = capacity(self.rule, n_units, self.margin, self.beta)
        given = not isinstance(self.thresholds, str)
        if self.rule == "dense":
            # an always-on unit would add the same to the overlap with each pattern
            weights, thresholds = np.zeros((n_units, 0)), np.zeros(n_units)
            self.n_iter_ = 1
        else:
            weights, thresholds, self.n_iter_ = learn(
                self.rule,
                self.patterns_,
                self.margin,
                with_thresholds=not given and self.thresholds == "learned",
            )
        if given:
            thresholds = check_thresholds(self.thresholds, n_units)
        weights, self.thresholds_ = round_for_exact_sums(weights, thresholds)
        # the unit of temperature: the mean field towards the state in a pattern
        self._mean_field = 1.0
        self.__dict__.pop("weights_", None)
        if self.rule != "dense":
            self.weights_ = weights
            fields = self.patterns_ @ weights
            self._mean_field = float(max(0, (fields * self.patterns_).mean()))
        lost = find_lost(self._make_network(), self.patterns_)
        warn_about_patterns(self.patterns_, self.rule, self.capacity_, lost)
        self._make_dynamics()  # raises an error now if the temperature is invalid

    def _make_network(self):
        if self.rule == "dense":
            return DenseNetwork(self.patterns_, self.thresholds_, float(self.beta))
        return PairwiseNetwork(self.weights_, self.thresholds_)

    def _make_dynamics(self, quench=True):
        temperatures = plan_recall_temperatures(self.temperature)
        if not quench and not len(temperatures):
            raise ValueError(
                "quench=False returns the states after the sweeps at a temperature, "
                f"but temperature={self.temperature!r} contains none. Set temperature "
                "to a number above 0, or to an array with the temperature of each "
                "sweep."
            )
        return Dynamics(
            asynchronous=self.update == "asynchronous",
            random_order=self.order == "random",
            temperatures=temperatures * self._mean_field,
            max_iter=self.max_iter,
            seed=self._seed,
            quench=quench,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
