"""The Hopfield network as an estimator."""

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
    """Thresholds of the caller as a new array of shape (n_units,)."""
    thresholds = unwrap(thresholds, "thresholds")
    thresholds = check_array(thresholds, ensure_2d=False, dtype=float, copy=True)
    if thresholds.shape != (n_units,):
        raise ValueError(
            f"thresholds have the shape {thresholds.shape}, but X has {n_units} "
            f"features. Give an array of shape ({n_units},), 'zero' or 'learned'."
        )
    return thresholds


def check_clamped_units(clamp, shape):
    """The clamp of the caller as a mask of shape (n_samples, n_features)."""
    clamp = np.asarray(unwrap(clamp, "clamp"))
    if clamp.shape not in (shape, shape[1:]) or clamp.dtype != bool:
        raise ValueError(
            f"clamp is an array of {clamp.dtype} of shape {clamp.shape}. It needs to "
            f"hold True for each unit that stays, in the shape {shape} of X or "
            f"{shape[1:]} for all rows alike."
        )
    return np.broadcast_to(clamp, shape)


def none_label(labels):
    """The label of a row without a stored pattern, as an array of its type."""
    if labels.dtype.kind in "iuf":
        return np.array(-1)
    if labels.dtype.kind in "UT":
        return np.array("none")
    return np.array(None, dtype=object)


def check_labels_are_free(labels):
    """Raise an error if labels hold the one for rows without a stored pattern."""
    none = none_label(labels).item()
    if none in labels.tolist():
        raise ValueError(
            f"y holds the label {none!r}, which predict gives to rows that overlap "
            "with no stored pattern by min_overlap. Rename it, or set min_overlap=None."
        )


class HopfieldDenoiser(OneToOneFeatureMixin, TransformerMixin, ValidatedEstimator):
    """Associative memory that turns a corrupted pattern into the stored one.

    ``fit`` stores the rows of X, ``transform`` lets a Hopfield network run from each
    row until it is stable, and ``predict`` says which stored row that is.

    Parameters
    ----------
    rule : {"hebb", "storkey", "pseudo_inverse", "perceptron", "dense"}, default="hebb"
        How patterns are stored; see Notes.
    thresholds : {"zero", "learned"} or array-like of shape (n_features,), \
default="zero"
        Field from which on a unit turns on. "learned" is for patterns with many more
        units off than on, or on than off: Hebb's and Storkey's rules then learn from
        the patterns minus their mean (covariance rule), and the pseudo-inverse and the
        perceptron rule from one more unit that is always on. The dense rule learns
        none. The thresholds of Hebb's and Storkey's rules suit rows that are close to
        a pattern; one or two patterns are recalled from very noisy rows more often with
        "zero" (see Notes).
    update : {"asynchronous", "synchronous"}, default="asynchronous"
        One unit after the other, which always ends in a stable state, or all at once,
        which may end in a cycle of two.
    order : {"random", "fixed"}, default="random"
        Order of asynchronous updates: a new one each sweep, the same for all rows, or
        from the first unit to the last.
    temperature : float or array-like of shape (n_sweeps,), default=0.0
        0 is deterministic. Above, units turn on by chance (Glauber dynamics), which
        frees rows from shallow minima. A number is where a linear descent to 0 over 20
        sweeps begins; an array says the temperature of each sweep. Deterministic sweeps
        follow. The unit is the mean field that holds a unit of a stored pattern in
        place, whatever the rule, so that 1.0 is hot. Each row has noise of its own; see
        Notes.
    max_iter : int, default=100
        Most deterministic sweeps over all units.
    margin : float, default=1.0
        Stability that the perceptron rule works for: field over the length of a
        unit's weights.
    beta : float, default=1.0
        Sharpness of the dense rule: one more unit in common multiplies the weight of a
        pattern by ``exp(2 beta)``. At large values a row becomes the nearest pattern;
        at small ones the rule holds fewer patterns, see ``capacity_``.
    min_overlap : float or None, default=None
        Least overlap with a stored pattern, from -1 to 1, that ``predict`` needs to
        name it. The overlap is the mean product of the units of the recalled and the
        stored pattern: 1 for equal ones, about 0 for unrelated ones. A row below gets
        the label -1 if labels are numbers, "none" if they are strings, and None else.
        With None every row is named.
    binarize : float or None, default=0.0
        Values above are on. None takes patterns of 0 and 1, or of -1 and 1, alone.
    random_state : int, RandomState instance or None, default=None
        Draws orders, and chance at temperatures above 0. It is read in ``fit``, so
        that ``transform`` gives the same answer each time.

    Attributes
    ----------
    patterns_ : ndarray of shape (n_patterns, n_features)
        The stored patterns in -1 and +1.
    labels_ : ndarray of shape (n_patterns,)
        y, or the index of each pattern.
    weights_ : ndarray of shape (n_features, n_features)
        Symmetric, with a zero diagonal, for units of -1 and +1. The dense rule has
        none.
    thresholds_ : ndarray of shape (n_features,)
        For units of -1 and +1.
    capacity_ : float
        The number of random patterns that the rule can be expected to hold.
    n_iter_ : int
        Passes over the patterns that learning took.
    n_features_in_ : int
        Number of units.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, if X is a frame in fit.

    See Also
    --------
    BoltzmannMachine : The stochastic sister, with hidden units.
    ImageFlattener : Images as rows.
    sklearn_rnn.display.HopfieldDisplay : Stored, corrupted and recalled side by side.

    Notes
    -----
    Units are -1 or +1. Unit i turns on where
    ``thresholds_[i] <= sum_j weights_[i, j] s_j``; with symmetric weights each such
    update lowers ``E = -1/2 s W s + thresholds s`` or leaves it.

    ================  ===========================================  ==================
    rule              weights                                      holds, of n units
    ================  ===========================================  ==================
    "hebb"            ``sum_m x_mi x_mj`` (Hopfield)               .138 n
    "storkey"         Hebb's, less what is known (Storkey)         n / sqrt(2 log n)
    "pseudo_inverse"  projection onto the patterns (Personnaz)     n
    "perceptron"      Hebb's, repeated until all patterns are      .36 n at margin 1,
                      stable with a margin (Gardner)               1.4 n at margin 0
    "dense"           none: ``E = -1/beta log sum_m                2^(n / 2); fewer at
                      exp(beta x_m s)`` (Krotov and Hopfield,      a small beta
                      Demircigil, Ramsauer)
    ================  ===========================================  ==================

    What X of fit holds decides what ``transform`` returns: 0/1 for patterns of 0 and 1,
    -1/+1 for patterns of -1 and 1, 0/1 for all others, which are cut at ``binarize``.
    All methods cut their X at ``binarize``, so only with a value between 0 and 1 can
    they read the 0/1 patterns that ``transform`` returns.

    Weights are rounded to 40 to 50 bits so that fields add up exactly, and a row gets
    the same answer alone, in any batch and in any order, to the last bit.

    What the perceptron rule holds is measured: .7 of Gardner's capacity, which is that
    of weights that need not be symmetric.

    Above temperature 0 the noise of a row is drawn by a generator that is seeded by
    ``random_state``, by the units that are on in the row (and those that are clamped),
    and by the number of equal rows before it in X. So repeated calls agree, different
    rows and copies of one row are statistically independent, and a row that differs
    from all others in X gets the same answer alone, in any batch and in any order. Of
    copies, the first gets the answer of the row alone. ``recall(X, quench=False)``
    returns the states at the last temperature, without the deterministic sweeps.

    Thresholds of the covariance rule lie halfway between the fields of units on and off
    in a complete pattern. Noise shrinks both fields, but not the threshold. Hebb's rule
    with 100 units, 10 % of them on, and a tenth of the units of each row flipped
    recalls 92 % of the rows exactly if two patterns are stored, and 100 % with zero
    thresholds; of five patterns it recalls 90 %, and none with zero thresholds.

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
        """Store the rows of X, and forget what was stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            The patterns.
        y : array-like of shape (n_patterns,) or None, default=None
            What ``predict`` is to call them; by default their index.

        Returns
        -------
        self : object
            The fitted memory.

        Raises
        ------
        ValueError
            If X is not binary with ``binarize=None``, or a temperature is negative, or
            thresholds have another shape, or y holds the label that ``min_overlap``
            reserves for rows without a pattern.

        Warns
        -----
        CapacityWarning
            If the rule cannot hold so many patterns, or stored patterns are not stable,
            or patterns are identical, or have no unit on or none off.
        ConvergenceWarning
            If the perceptron rule does not reach its margin.
        """
        return self._fit(X, y, reset=True)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Store more rows beside those of before, as one fit of all would have.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            More patterns.
        y : array-like of shape (n_patterns,) or None, default=None
            Their labels, if those before have some; else they are counted on.

        Returns
        -------
        self : object
            The fitted memory.
        """
        return self._fit(X, y, reset=not hasattr(self, "patterns_"))

    @on_snapshot
    def transform(self, X):
        """Recall a stored pattern for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns.

        Returns
        -------
        X_recalled : ndarray of shape (n_samples, n_features)
            The stable states reached, in the coding of the patterns of fit.

        Warns
        -----
        ConvergenceWarning
            If rows are not stable at the end; :meth:`recall` says which, without a
            warning.
        """
        recalled = self.recall(X)
        self._warn_about_convergence(recalled)
        return recalled.patterns

    def _warn_about_convergence(self, recalled):
        """Warn if rows alternate between two states, or if sweeps were too few."""
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
            f"{self.max_iter} sweeps. {reason}, or use recall, which tells for each "
            "row whether it converged.",
            ConvergenceWarning,
        )

    @on_snapshot
    def recall(self, X, clamp=None, *, trace=False, quench=True):
        """Recall a stored pattern for each row, and tell how it went.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns.
        clamp : array-like of bool of shape (n_features,) or (n_samples, n_features), \
default=None
            Units known to be right, which stay as they are in X.
        trace : bool, default=False
            Whether to follow the energy, which needs all rows at once in memory.
        quench : bool, default=True
            Whether deterministic sweeps follow those at a temperature. False returns
            the states after the last sweep of ``temperature``: with many sweeps at one
            temperature, such as ``temperature=np.full(50, 0.4)``, these are samples of
            its thermal equilibrium.

        Returns
        -------
        recalled : :class:`~sklearn.utils.Bunch`
            patterns : ndarray of shape (n_samples, n_features)
                As :meth:`transform` returns them.
            n_iter : ndarray of int of shape (n_samples,)
                The last sweep that changed the row, 0 if none did.
            converged : ndarray of bool of shape (n_samples,)
                Whether the row is stable at temperature 0.
            cycle : ndarray of bool of shape (n_samples,)
                Whether synchronous updates alternate between two states; the pattern is
                one of them.
            energy : ndarray of shape (n_samples,)
                Of the recalled state.
            energy_trace : ndarray of shape (n_samples, 1 + n_updates)
                With ``trace``: before the first update and after each one, of a unit
                (asynchronous) or of all (synchronous).

        Raises
        ------
        ValueError
            If ``clamp`` has another shape, or if ``quench=False`` at temperature 0.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        states = self._to_states(X).T
        network = self._make_network()
        energy_trace = Trace(network, states) if trace else None
        free = None if clamp is None else ~check_clamped_units(clamp, X.shape).T
        dynamics = self._make_dynamics(quench)
        found = recall(network, states, free, dynamics, energy_trace)
        on = found.states.T > 0
        recalled = Bunch(
            patterns=np.where(on, X.dtype.type(1), X.dtype.type(self._low)),
            n_iter=found.n_iter,
            converged=found.converged,
            cycle=found.cycle,
            energy=found.energy,
        )
        if trace:
            recalled.energy_trace = np.array(energy_trace.energies).T
        return recalled

    @on_snapshot
    def predict(self, X):
        """Say which stored pattern each row becomes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Label or index of the stored pattern that has most units in common with the
            recalled state; of equals, the one stored first. A row whose recalled state
            overlaps with no stored pattern by ``min_overlap`` gets -1, "none" or None,
            depending on the type of the labels.

        Warns
        -----
        ConvergenceWarning
            If rows are not stable at the end.
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
        """Energy of each row as it is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            In the units of the weights.
        """
        check_is_fitted(self)
        states = self._to_states(self._validate(X, reset=False))
        return self._make_network().stability_and_energy(states.T)[1]

    @on_snapshot
    def score(self, X, y=None):
        """Share of the rows that are recalled as the right pattern, or as themselves.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.
        y : array-like of shape (n_samples,) or None, default=None
            Labels or indices of the patterns that the rows come from.

        Returns
        -------
        score : float
            With y the mean of ``predict(X) == y``, without y the share of rows that are
            stable as they are.
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

    def _to_states(self, X):
        """States of -1 and +1 in float64, (n_samples, n_features)."""
        cut = self.binarize
        if cut is None:
            other = (X != 1) & (X != self._low)
            if other.any():
                raise ValueError(
                    f"X holds {X[other][0]:.6g}. With binarize=None patterns consist "
                    f"of {self._low} and 1, and the same two in fit and afterwards. "
                    "Set binarize to the value above which a unit is on."
                )
            cut = 0.0
        with np.errstate(over="ignore"):  # of a cut that float32 cannot hold
            return np.where(X > cut, 1.0, -1.0)

    def _fit(self, X, y, *, reset):
        """Store X alone, or beside the stored patterns."""
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
        """All labels, the stored ones first, or None if patterns have none."""
        if self._has_labels != (labels is not None):
            got, before = ("no y", "one") if labels is None else ("y", "none")
            raise ValueError(
                f"partial_fit got {got}, but the patterns stored before came with "
                f"{before}. Give y for all patterns or for none."
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
        # the unit of temperature: the field that keeps a unit of a pattern as it is
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
                f"but temperature={self.temperature!r} plans none. Set temperature to "
                "a number above 0, or to an array with the temperature of each sweep."
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
