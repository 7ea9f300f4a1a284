"""The Boltzmann machine as an estimator."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.drafts import draft, on_snapshot, snapshot
from sklearn_rnn._core.randomness import (
    SAMPLING,
    SPLIT,
    WEIGHTS,
    draw_seed,
    numpy_generator,
)
from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.sklearn_private import Interval, StrOptions, _fit_context
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn._data.cells import explain_errors
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn.energy._boltzmann_enumeration import sample_exactly
from sklearn_rnn.energy._boltzmann_learning import FreeEnergyGap, LearningOptions
from sklearn_rnn.energy._boltzmann_parameters import Machine
from sklearn_rnn.energy._boltzmann_partition import LogPartition
from sklearn_rnn.energy._boltzmann_sampling import (
    Clamp,
    check_clamped_values,
    plan_gibbs_temperatures,
    sample_visible,
)
from sklearn_rnn.energy._boltzmann_trainer import (
    Trainer,
    choose_exact,
    draw_first_state,
)
from sklearn_rnn.energy._patterns import validate_patterns

# What only some machines have, and a new fit must not inherit.
ATTRIBUTES_OF_SOME_MACHINES = (
    "scale_",
    "visible_weights_",
    "hidden_weights_",
    "free_energy_gap_",
    "_mean",
    "_std",
    "_cut",
    "_levels",
)


def check_structure(n_hidden, full, gaussian):
    """Raise an error for combinations of parameters that make no machine."""
    if n_hidden == 0 and not full:
        raise ValueError(
            "n_hidden=0 leaves a restricted machine without weights. Set it above 0, "
            "or connections='full'."
        )
    if gaussian and full:
        raise ValueError(
            "visible='gaussian' needs connections='restricted': weights between "
            "Gaussian units could make their distribution improper."
        )


def check_spread(X, std):
    """Raise an error if columns of X are too large for their standard deviations."""
    bad = np.flatnonzero(~np.isfinite(std))
    if len(bad):
        largest = np.abs(X[:, bad[0]]).max()
        raise ValueError(
            f"column {bad[0]} of X holds values of up to {largest:g}, whose squares "
            "are too large to compute with. Divide X by a constant."
        )


def check_probabilities(X):
    """Raise an error if a value is not from 0 to 1."""
    outside = (X < 0) | (X > 1)
    if outside.any():
        raise ValueError(
            f"X holds {X[outside][0]:.6g}. With binarize=None values are "
            "probabilities, from 0 to 1. Set binarize to the value above which a unit "
            "is on, or use visible='gaussian'."
        )


def find_levels(X, cut):
    """Values of X that stand for off and on, (2,).

    They are 0 and 1 if a cut between them tells them apart, otherwise the means of the
    values up to the cut and of those above.
    """
    if cut is None or 0 <= cut < 1:
        return np.array([0, 1], X.dtype)
    largest = np.finfo(X.dtype).max
    cut = X.dtype.type(np.clip(cut, -float(largest), float(largest)))
    on, above_cut = X > cut, np.nextafter(cut, largest)
    off_value = cut if on.all() else X[~on].mean()
    on_value = X[on].mean() if on.any() else above_cut
    # rounding may bring a mean to the other side of the cut
    return np.array([min(off_value, cut), max(on_value, above_cut)])


def check_hidden(H, components):
    """Hidden states as an array (n_samples, n_hidden), for weights ``components``."""
    H = unwrap(H, "H")
    with explain_errors(H, "H"):
        H = check_array(
            H, dtype=components.dtype, ensure_min_features=0, input_name="H"
        )
    if H.shape[1] != len(components):
        raise ValueError(
            f"H has {H.shape[1]} columns, but BoltzmannMachine has "
            f"{len(components)} hidden units."
        )
    return H


class BoltzmannMachine(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ValidatedEstimator
):
    """Stochastic symmetric network that learns a distribution over binary patterns.

    A machine of visible units, one a column of X, and hidden ones. ``transform`` gives
    the means of the hidden units as features of a row, ``score_samples`` the
    log-likelihood of a row, and ``sample`` draws new rows, or completes given ones.

    Parameters
    ----------
    n_hidden : int, default=64
        Hidden units; 0 is for full machines only.
    connections : {"restricted", "full"}, default="restricted"
        Which pairs of units have a weight: those of a visible and a hidden unit, or
        all. A restricted machine is sampled a layer at a time, a full one unit by unit.
    visible : {"binary", "gaussian"}, default="binary"
        Visible units of 0 and 1, or real ones, of which means and standard deviations
        are learned. Gaussian needs a restricted machine.
    binarize : float or None, default=0.5
        Values of X above are 1, others 0. ``sample`` and ``inverse_transform`` answer
        in the coding of X: with 0 and 1 if ``binarize`` is at least 0 and below 1, and
        otherwise with the mean of the values of X up to ``binarize`` and the mean of
        those above. None takes values from 0 to 1 as they are, as probabilities. Of no
        effect for Gaussian units.
    gradient : {"auto", "exact", "pcd"}, default="auto"
        How the machine's own moments are found: by summing over all states, for at most
        20 units, or by persistent contrastive divergence ("pcd"), in which the chains
        also jump between modes. "auto" sums over up to 10.
        The units are all of a full machine, the smaller layer of a restricted one, and
        the hidden ones with Gaussian visible units.
    positive_phase : {"mean_field", "gibbs"}, default="mean_field"
        Hidden units under the data as means or as samples. Means are exact but in full
        machines of more than 10 hidden units.
    n_gibbs_steps : int, default=1
        Sweeps of the persistent chains between two updates.
    learning_rate : float, default=0.1
        Step along the gradient of the mean log-likelihood of a batch.
    batch_size : int, default=32
        Rows an update, and number of persistent chains.
    max_epochs : int, default=20
        Passes over the data.
    weight_decay : float, default=0.0
        Pull of the weights towards 0, in the unit of the gradient.
    average : bool, default=True
        Answer with a mean of the weights over all training steps, the late ones
        counting most (about ``(s / t) ** 8`` for step s of t), rather than with those
        of the last step, which wander.
    early_stopping : bool, default=False
        Whether to hold out rows, and to stop when their free energy has moved away from
        that of as many training rows by more than ``tol``: the log partition function
        is the same for both, so this gap is that of their log-likelihoods.
    validation_fraction : float, default=0.1
        Share of the rows held out.
    n_iter_no_change : int, default=5
        Epochs in a row with too wide a gap after which to stop. The weights of the last
        epoch before them are kept.
    tol : float, default=0.01
        Gap that is not too wide, in nats a visible unit.
    ais_steps : int, default=1000
        Steps of annealed importance sampling, which estimates ``log_partition_`` where
        it cannot be summed. It runs once, when ``score_samples``, ``score`` or
        ``log_partition_`` first need it after a fit. With 0 there is no estimate, and
        ``score_samples`` raises an error.
    random_state : int, RandomState instance or None, default=None
        Draws first weights, batches, samples and rows held out.
    verbose : bool, default=False
        Whether to print a line an epoch.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden, n_features)
        Weights between hidden and visible units.
    intercept_hidden_ : ndarray of shape (n_hidden,)
        Biases of the hidden units.
    intercept_visible_ : ndarray of shape (n_features,)
        Biases of the visible units; of Gaussian ones in the unit of X.
    visible_weights_ : ndarray of shape (n_features, n_features)
        Symmetric, with a zero diagonal; of full machines.
    hidden_weights_ : ndarray of shape (n_hidden, n_hidden)
        The same for hidden units.
    scale_ : ndarray of shape (n_features,)
        Standard deviations of Gaussian units, given the hidden ones.
    log_partition_ : float
        log Z, exact or estimated, computed when it is first read; NaN with
        ``ais_steps=0`` where it cannot be summed.
    log_partition_std_ : float
        Standard error of ``log_partition_`` in nats, from the spread of 100 runs of
        annealed importance sampling; 0 if log Z was summed, and NaN without an
        estimate. It is too small where the runs miss a mode of the distribution.
    free_energy_gap_ : list of float
        The gap after each epoch of ``fit`` less that before the first, with early
        stopping.
    n_iter_ : int
        Epochs.
    n_features_in_ : int
        Number of visible units.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, if X is a frame in fit.

    See Also
    --------
    HopfieldDenoiser : The deterministic sister, which stores patterns.
    sklearn.neural_network.BernoulliRBM : A restricted machine with binary units.

    Notes
    -----
    Of visible states v and hidden states h the machine has the energy::

        E(v, h) = -v b - h c - h W v - 1/2 v L v - 1/2 h J h
        E(v, h) = |(v - b) / s|^2 / 2 - h c - h W (v / s)          (Gaussian)

    and shows v with the probability ``exp(-F(v)) / Z``, where ``F(v)`` is the free
    energy ``-log sum_h exp(-E(v, h))``. W is ``components_``, b and c the intercepts, L
    and J the weights within the layers, s is ``scale_``. The gradient of the
    log-likelihood by a weight is the mean product of its two units under the data less
    that under the machine (Ackley, Hinton and Sejnowski).

    In full machines the units of a layer are coupled given the other layer. Layers of
    up to 10 units are summed over; for larger ones mean-field theory stands in for the
    exact means, and free energies are its upper bounds.

    With ``binarize=None`` the energy takes gray values g as if they were states, so
    that ``score_samples`` returns ``-F(g) - log Z``. This is at most the mean
    log-probability of the binary patterns drawn from the gray values, and equal to the
    log-probability for values of 0 and 1.

    Persistent chains hardly ever leave a mode that learning has made deep, and learning
    then lets the other modes disappear. In every step each chain therefore proposes the
    state of a row of the batch and accepts it by the rule of Metropolis and Hastings
    (Hinton, Welling and Mnih): the hidden state of a restricted machine, and the
    visible and hidden state of a full one.

    Visible biases start at the log odds of their columns.

    Each pass of ``partial_fit`` is one more epoch, so that k passes over X give what
    ``fit`` does in k epochs.

    References
    ----------
    D. H. Ackley, G. E. Hinton, T. J. Sejnowski: A learning algorithm for Boltzmann
    machines, Cognitive Science 9, 1985.

    T. Tieleman: Training restricted Boltzmann machines using approximations to the
    likelihood gradient, ICML 2008.

    G. E. Hinton, M. Welling, A. Mnih: Wormholes improve contrastive divergence, NIPS
    2003.

    R. Salakhutdinov, I. Murray: On the quantitative analysis of deep belief networks,
    ICML 2008.

    G. E. Hinton: A practical guide to training restricted Boltzmann machines, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import BoltzmannMachine
    >>> X = np.array([[0, 0, 1, 1], [1, 1, 0, 0]] * 20)
    >>> machine = BoltzmannMachine(4, max_epochs=1000, random_state=0).fit(X)
    >>> np.exp(machine.score_samples([[0, 0, 1, 1], [0, 1, 0, 1]])).round(1)
    array([0.5, 0. ])
    >>> machine.sample(3, clamp=[0, np.nan, np.nan, np.nan], random_state=0)
    array([[0., 0., 1., 1.],
           [0., 0., 1., 1.],
           [0., 0., 1., 1.]])
    """

    _parameter_constraints = {
        "n_hidden": [Interval(Integral, 0, 2**20, closed="both")],
        "connections": [StrOptions({"restricted", "full"})],
        "visible": [StrOptions({"binary", "gaussian"})],
        "binarize": [Interval(Real, None, None, closed="neither"), None],
        "gradient": [StrOptions({"auto", "exact", "pcd"})],
        "positive_phase": [StrOptions({"mean_field", "gibbs"})],
        "n_gibbs_steps": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, 2**20, closed="both")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "average": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "ais_steps": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_hidden=64,
        *,
        connections="restricted",
        visible="binary",
        binarize=0.5,
        gradient="auto",
        positive_phase="mean_field",
        n_gibbs_steps=1,
        learning_rate=0.1,
        batch_size=32,
        max_epochs=20,
        weight_decay=0.0,
        average=True,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=0.01,
        ais_steps=1000,
        random_state=None,
        verbose=False,
    ):
        self.n_hidden = n_hidden
        self.connections = connections
        self.visible = visible
        self.binarize = binarize
        self.gradient = gradient
        self.positive_phase = positive_phase
        self.n_gibbs_steps = n_gibbs_steps
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.weight_decay = weight_decay
        self.average = average
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.ais_steps = ais_steps
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the distribution of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.
        y : None
            Not used.

        Returns
        -------
        self : object
            The fitted machine.

        Raises
        ------
        ValueError
            If values are no probabilities with ``binarize=None``, if the exact gradient
            is asked of too many units, or if learning diverges. The machine then is
            what it was before.
        """
        with draft(self) as new:
            rows = new._start(new._validate(X, reset=True))
            gap = None
            if self.early_stopping:
                seed = int(numpy_generator(new._seed, SPLIT).integers(2**31))
                rows, held_out = train_test_split(
                    rows, test_size=self.validation_fraction, random_state=seed
                )
                gap = FreeEnergyGap(
                    new._state, rows, held_out, self.tol, self.n_iter_no_change
                )
            interrupt = new._train(rows, self.max_epochs, gap)
        if interrupt is not None:
            raise interrupt
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Learn from the rows of X once more, or for the first time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.
        y : None
            Not used.

        Returns
        -------
        self : object
            The fitted machine.
        """
        first = not hasattr(self, "components_")
        with draft(self) as new:
            X = new._validate(X, reset=first)
            rows = new._start(X) if first else new._prepare(X)
            interrupt = new._train(rows, n_epochs=1)
        if interrupt is not None:
            raise interrupt
        return self

    def transform(self, X):
        """Means of the hidden units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
            Probabilities that a hidden unit is 1, given the row.
        """
        return self._evaluate(Machine.hidden_means, X)

    def inverse_transform(self, H):
        """Means of the visible units.

        In full machines of more than 10 visible units they are mean-field
        approximations.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)
            States of the hidden units, or their means as :meth:`transform` gives them.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means of the visible units given the hidden ones, in the coding of X. For
            units of 0 and 1 these are probabilities.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        hidden = check_hidden(H, fitted.components_)
        return fitted._from_visible(fitted._assemble_machine().visible_means(hidden))

    def energy(self, X, H):
        """Energy of visible and hidden states together.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.
        H : array-like of shape (n_samples, n_hidden)
            Hidden states.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            In nats.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        hidden = check_hidden(H, fitted.components_)

        def compute(machine, visible):
            check_consistent_length(visible, hidden)
            return machine.energy(visible, hidden)

        return fitted._evaluate(compute, X)

    def free_energy(self, X):
        """Energy of visible states, hidden ones summed out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
            ``-log sum_h exp(-E(x, h))``, in nats.
        """
        return self._evaluate(Machine.free_energy, X)

    def score_samples(self, X):
        """Log-likelihood of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            Log-probability in nats; with Gaussian units log-density. As exact as
            ``log_partition_`` and :meth:`free_energy`. For gray values
            (``binarize=None``) it is a lower bound of the mean log-probability of the
            binary patterns drawn from them.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        minus_free_energy = -fitted.free_energy(X)
        if np.isnan(fitted.log_partition_):
            raise ValueError(
                "log_partition_ is not known: this machine is too large to sum over "
                "its states, and it was fitted with ais_steps=0. Fit with "
                "ais_steps=1000."
            )
        return minus_free_energy - fitted.log_partition_

    @on_snapshot
    def score(self, X, y=None):
        """Mean log-likelihood of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.
        y : None
            Not used.

        Returns
        -------
        score : float
            Nats a row.
        """
        return float(self.score_samples(X).mean())

    def sample(
        self,
        n_samples=1,
        *,
        n_gibbs_steps=1000,
        clamp=None,
        temperature=1.0,
        random_state=None,
    ):
        """Draw patterns, or complete given ones.

        Samples are independent and exact where the states of the free units can be
        enumerated: those of up to 20 units, which are the free ones of a full machine,
        the smaller layer of a restricted one, and the hidden ones with Gaussian visible
        units. Otherwise, and if ``temperature`` is an array, Gibbs sampling is used.
        It is also used where there are so many units or different clamps that
        enumeration would take more than some seconds.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        n_gibbs_steps : int, default=1000
            Sweeps of Gibbs sampling over all units, from states that learning has left
            behind. The more, the less samples depend on each other and on these.
            Without effect where samples are exact.
        clamp : array-like of shape (n_features,) or (n_samples, n_features), \
default=None
            Values that visible units keep, in the coding of X, NaN where they are free.
        temperature : float or array-like of shape (n_gibbs_steps,), default=1.0
            What energies are divided by: 1 samples the distribution learned, a descent
            from above 1 to near 0 (annealing) finds its most likely patterns. Where
            Gibbs sampling is used at a single temperature, the first half of the steps
            descends to it from 10 times as much, since chains that start cold may never
            leave the pattern they are in.
        random_state : int, RandomState instance or None, default=None
            Draws the samples; None is that of fit, so that calls repeat each other.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Patterns of 0 and 1 or in the coding of X (see ``binarize``), or real values
            of Gaussian units.

        Raises
        ------
        ValueError
            If ``clamp`` or ``temperature`` has another shape.
        """
        check_is_fitted(self)
        check_integer("n_samples", n_samples, minimum=1)
        check_integer("n_gibbs_steps", n_gibbs_steps, minimum=1)
        temperatures = plan_gibbs_temperatures(temperature, n_gibbs_steps)
        fitted, held = snapshot(self), None
        if clamp is not None:
            shape = n_samples, fitted.n_features_in_
            clamp = check_clamped_values(clamp, shape, fitted.components_.dtype)
            free = np.isnan(clamp)
            held = Clamp(~free, fitted._to_visible(np.where(free, 0, clamp)))
        seed = fitted._seed if random_state is None else draw_seed(random_state)
        machine, rng = fitted._assemble_machine(), numpy_generator(seed, SAMPLING)
        visible = None
        if np.ndim(temperature) == 0:
            visible = sample_exactly(machine, n_samples, float(temperature), rng, held)
        if visible is None:
            chains = fitted._state.chains
            visible = sample_visible(
                machine, chains, n_samples, temperatures, rng, held
            )
        X = fitted._from_visible(visible)
        if held is not None and fitted._is_gaussian:  # the values given, not rounded
            X = np.where(held.mask, clamp, X)
        return X

    @property
    @on_snapshot
    def log_partition_(self):
        """log Z, exact or estimated."""
        return self._log_partition.estimate[0] + self._log_scale

    @property
    def log_partition_std_(self):
        """Standard error of ``log_partition_``."""
        return self._log_partition.estimate[1]

    def _validate(self, X, *, reset):
        dtype = (np.float64, np.float32) if reset else self.components_.dtype
        # the order of an array in memory decides how sums over it are rounded
        return validate_patterns(self, X, reset=reset, dtype=dtype, order="C")

    @property
    def _is_gaussian(self):
        """Whether the machine was fitted with Gaussian visible units."""
        return hasattr(self, "_std")

    def _start(self, X):
        """Forget everything learned and draw the first state. Returns rows to learn."""
        full, gaussian = self.connections == "full", self.visible == "gaussian"
        check_structure(self.n_hidden, full, gaussian)
        for name in ATTRIBUTES_OF_SOME_MACHINES:
            self.__dict__.pop(name, None)
        if gaussian:
            with np.errstate(over="ignore", invalid="ignore"):
                self._mean, std = X.mean(axis=0), X.std(axis=0)
            check_spread(X, std)
            self._std = np.where(std > 0, std, 1).astype(X.dtype)
        else:
            self._cut, self._levels = self.binarize, find_levels(X, self.binarize)
        self._seed = draw_seed(self.random_state)
        self._n_features_out = self.n_hidden
        rows = self._prepare(X)
        rng = numpy_generator(self._seed, WEIGHTS)
        self._state = draw_first_state(
            rows, self.n_hidden, self.batch_size, X.dtype, rng, full, gaussian
        )
        return rows

    def _prepare(self, X):
        """Rows to learn from: standardised Gaussian columns, bits or probabilities."""
        if self._is_gaussian:
            return (X - self._mean) / self._std
        if self._cut is not None:
            with np.errstate(over="ignore"):  # of a cut that float32 cannot hold
                return X > self._cut
        check_probabilities(X)
        return X

    def _train(self, rows, n_epochs, gap=None):
        """Train and set the fitted attributes. Returns an interrupt, if one came.

        The last whole epoch before an interrupt counts; without one it is raised.
        """
        n_epochs_before, interrupt = self._state.n_epochs, None
        options = LearningOptions(
            exact=choose_exact(self._state.machine, self.gradient),
            sample_hidden=self.positive_phase == "gibbs",
            n_gibbs_steps=self.n_gibbs_steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            average=self.average,
        )
        name = type(self).__name__ if self.verbose else ""
        trainer = Trainer(rows, options, self._seed, gap, name)
        try:
            for state in trainer.run(self._state, n_epochs):
                self._state = state
            self._set_fitted()
        except KeyboardInterrupt as error:
            if self._state.n_epochs == n_epochs_before:
                raise
            interrupt = error
            self._set_fitted()
        return interrupt

    def _set_fitted(self):
        """Set the fitted attributes from the state that was learned."""
        machine = self._state.average
        self.n_iter_ = self._state.n_epochs
        if self._state.gaps is not None:
            self.free_energy_gap_ = self._state.gaps
        self._log_partition = LogPartition(self._state, self.ais_steps, self._seed)
        self._log_scale = 0.0
        if machine.gaussian:  # back from standardised columns to the units of X
            self.scale_ = machine.scale * self._std
            machine = machine.shift_visible(self._mean / self.scale_)
            machine.visible_bias *= self.scale_
            # densities are of X, not of X / scale_
            self._log_scale = float(np.log(self.scale_).sum())
        self.components_ = machine.components
        self.intercept_hidden_ = machine.hidden_bias
        self.intercept_visible_ = machine.visible_bias
        if machine.full:
            self.visible_weights_ = machine.visible_weights
            self.hidden_weights_ = machine.hidden_weights

    def _assemble_machine(self):
        """The fitted parameters as one object."""
        machine = Machine(
            components=self.components_,
            hidden_bias=self.intercept_hidden_,
            visible_bias=self.intercept_visible_,
            visible_weights=getattr(self, "visible_weights_", None),
            hidden_weights=getattr(self, "hidden_weights_", None),
            scale=getattr(self, "scale_", None),
        )
        if machine.gaussian:
            machine.visible_bias = machine.visible_bias / self.scale_
        return machine

    def _evaluate(self, compute, X):
        """What ``compute(machine, visible)`` returns for the rows of X."""
        check_is_fitted(self)
        fitted = snapshot(self)
        X = fitted._validate(X, reset=False)
        with np.errstate(over="ignore", invalid="ignore"):
            answer = compute(fitted._assemble_machine(), fitted._to_visible(X))
        good = np.isfinite(answer).reshape(len(X), -1).all(axis=1)
        if not good.all():
            row = np.argmin(good)
            raise ValueError(
                f"row {row} of X has values of up to {np.abs(X[row]).max():.3g}, whose "
                f"energy is too large for {X.dtype}. Give X in the unit of fit."
            )
        return answer

    def _to_visible(self, X):
        """Visible states of the machine for rows of X, (n_samples, n_features)."""
        if self._is_gaussian:
            return X / self.scale_
        return self._prepare(X).astype(X.dtype, copy=False)

    def _from_visible(self, visible):
        """Rows in the units of X for visible states, (n_samples, n_features)."""
        if self._is_gaussian:
            return visible * self.scale_
        off, on = self._levels
        return (1 - visible) * off + visible * on

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
