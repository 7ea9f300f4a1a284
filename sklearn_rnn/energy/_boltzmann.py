"""BoltzmannMachine: the Boltzmann machine as an estimator."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.callbacks import describe_fit
from sklearn_rnn._core.checkpoints import CHECKPOINT_CONSTRAINTS
from sklearn_rnn._core.documentation import is_fitted, summarize_epochs
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
from sklearn_rnn.energy._boltzmann_checkpoints import open_checkpoints
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

# Attributes that only some machines have, which a new fit must not inherit.
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
    """Raise an error for combinations of parameters that are not supported."""
    if n_hidden == 0 and not full:
        raise ValueError(
            "n_hidden=0 leaves a restricted machine without weights. Set n_hidden to "
            "at least 1, or connections='full'."
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
            f"column {bad[0]} of X contains values of up to {largest:g}, whose squares "
            "overflow. Divide X by a constant."
        )


def check_probabilities(X):
    """Raise an error if a value is not from 0 to 1."""
    outside = (X < 0) | (X > 1)
    if outside.any():
        raise ValueError(
            f"X contains {X[outside][0]:.6g}. With binarize=None, all values must be "
            "probabilities from 0 to 1. Set binarize to the value above which a unit "
            "is on, or use visible='gaussian'."
        )


def find_levels(X, cut):
    """Values of X that represent off and on, (2,).

    They are 0 and 1 if ``cut`` lies between them, otherwise the mean of the values up
    to the cut and the mean of the values above it.
    """
    if cut is None or 0 <= cut < 1:
        return np.array([0, 1], X.dtype)
    largest = np.finfo(X.dtype).max
    cut = X.dtype.type(np.clip(cut, -float(largest), float(largest)))
    on, above_cut = X > cut, np.nextafter(cut, largest)
    off_value = cut if on.all() else X[~on].mean()
    on_value = X[on].mean() if on.any() else above_cut
    # rounding may move a mean to the other side of the cut
    return np.array([min(off_value, cut), max(on_value, above_cut)])


def check_hidden(H, components):
    """Validate hidden states; return an array of shape (n_samples, n_hidden)."""
    H = unwrap(H, "H")
    with explain_errors(H, "H"):
        H = check_array(
            H, dtype=components.dtype, ensure_min_features=0, input_name="H"
        )
    if H.shape[1] != len(components):
        raise ValueError(
            f"H has {H.shape[1]} columns, but this BoltzmannMachine has "
            f"{len(components)} hidden units. Pass one column per hidden unit."
        )
    return H


class BoltzmannMachine(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ValidatedEstimator
):
    """Stochastic symmetric network that learns a distribution over binary patterns.

    The machine has one visible unit per column of X, and hidden units. ``transform``
    returns the means of the hidden units as features of a row. ``score_samples``
    returns the log-likelihood of a row. ``sample`` draws new rows or completes given
    ones.

    Parameters
    ----------
    n_hidden : int, default=64
        Number of hidden units. 0 is allowed for full machines only.
    connections : {"restricted", "full"}, default="restricted"
        Pairs of units that have a weight: those of a visible and a hidden unit, or all
        pairs. A restricted machine is sampled layer by layer, a full one unit by unit,
        which is slower.
    visible : {"binary", "gaussian"}, default="binary"
        Type of the visible units: binary units of 0 and 1, or Gaussian units with real
        values, whose means and standard deviations are learned. "gaussian" requires
        ``connections="restricted"``.
    binarize : float or None, default=0.5
        Threshold on the values of X: greater values count as 1, others as 0. ``sample``
        and ``inverse_transform`` return 0 and 1 if ``binarize`` is at least 0 and less
        than 1. Otherwise they return the mean of the values of X up to ``binarize`` and
        the mean of the values above. With None, values must be from 0 to 1 and are used
        as probabilities. Ignored for Gaussian units.
    gradient : {"auto", "exact", "pcd"}, default="auto"
        Method that computes the moments of the machine for the gradient. "exact" sums
        over all states and is limited to 20 units. "pcd" is persistent contrastive
        divergence, with chains that also jump between modes. "auto" is "exact" for up
        to 10 units and "pcd" for more. The units that count are all units of a full
        machine, those of the smaller layer of a restricted one, and the hidden units if
        visible units are Gaussian.
    positive_phase : {"mean_field", "gibbs"}, default="mean_field"
        Whether hidden units given the data enter the gradient as means or as samples.
        Means are exact except for full machines with more than 10 hidden units.
    n_gibbs_steps : int, default=1
        Number of sweeps of the persistent chains per update.
    learning_rate : float, default=0.1
        Step size along the gradient of the mean log-likelihood of a batch.
    batch_size : int, default=32
        Number of rows per update, and number of persistent chains.
    max_epochs : int, default=20
        Maximum number of passes over the data.
    weight_decay : float, default=0.0
        Strength of the L2 penalty: the gradient of each weight is reduced by
        ``weight_decay`` times the weight.
    average : bool, default=True
        Whether the fitted weights are a mean over all training steps instead of the
        weights of the last step, which fluctuate. Late steps count most: step s of t
        has a weight of about ``(s / t) ** 8``.
    early_stopping : bool, default=False
        Whether to hold out rows and to stop when they become less likely than training
        rows. The gap is the mean free energy of the held-out rows minus that of equally
        many training rows. It is the difference of their log-likelihoods, because the
        log partition function cancels. Training stops when the gap has grown by more
        than ``tol`` since before training.
    validation_fraction : float, default=0.1
        Fraction of the rows that is held out. Only used if ``early_stopping=True``.
    n_iter_no_change : int, default=5
        Number of consecutive epochs with a growth of more than ``tol`` after which
        training stops. The weights of the last epoch before them are kept. Only used if
        ``early_stopping=True``.
    tol : float, default=0.01
        Growth of the gap that is tolerated, in nats per visible unit. Only used if
        ``early_stopping=True``.
    ais_steps : int, default=1000
        Number of steps of annealed importance sampling, which estimates
        ``log_partition_`` if there are too many units to sum over all states. It runs
        once, when ``score_samples``, ``score`` or ``log_partition_`` is first used
        after a fit. With 0 there is no estimate, and ``score_samples`` raises an error.
    checkpoint : str, path-like or None, default=None
        Folder in which ``fit`` stores the state of the training. If a fit is
        interrupted, ``fit`` with the same data and parameters continues from the last
        state that was stored, and gives the same model as an uninterrupted fit. Only
        ``max_epochs``, ``n_iter_no_change``, ``ais_steps``, ``verbose`` and
        ``checkpoint_every`` may be different. Requires an integer ``random_state``. The
        folder is created if necessary. It can be shared by all estimators and
        processes. It is limited to 2 GiB, and the states that were used least recently
        are removed; see :func:`~sklearn_rnn.clear_checkpoints`. None stores nothing.
    checkpoint_every : int or float, default=10.0
        Interval between two states that are stored in the folder ``checkpoint``: a
        number of epochs if it is an int, a number of seconds if it is a float. The
        state at the end of ``fit`` is always stored.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the order of the rows, the samples and the choice
        of held-out rows.
    verbose : bool, default=False
        Whether to print one line per epoch. In a search, it names the fit and the
        parameters that differ from their defaults.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden, n_features)
        Weights between hidden and visible units.
    intercept_hidden_ : ndarray of shape (n_hidden,)
        Biases of the hidden units.
    intercept_visible_ : ndarray of shape (n_features,)
        Biases of the visible units, in the unit of X if they are Gaussian.
    visible_weights_ : ndarray of shape (n_features, n_features)
        Symmetric weights between visible units, with a zero diagonal. Full machines
        only.
    hidden_weights_ : ndarray of shape (n_hidden, n_hidden)
        Symmetric weights between hidden units, with a zero diagonal. Full machines
        only.
    scale_ : ndarray of shape (n_features,)
        Standard deviations of Gaussian visible units, given the hidden units.
    log_partition_ : float
        Logarithm of the partition function Z, exact or estimated. It is computed when
        it is first read, and NaN if it can only be estimated and ``ais_steps=0``.
    log_partition_std_ : float
        Standard error of ``log_partition_`` in nats, from the spread of 100 runs of
        annealed importance sampling. It is 0 if ``log_partition_`` is exact, NaN if
        there is no estimate, and too small if the runs miss a mode of the distribution.
    loss_curve_ : list of float
        Loss after each epoch. For binary units it is the negative log pseudo-likelihood
        per visible unit in nats, for Gaussian units the mean squared error of the
        reconstruction of standardized columns. It is measured on at most 500 units, or
        rows, of the training data; see Notes.
    validation_loss_curve_ : list of float or None
        The same loss on the held-out rows after each epoch; None without early
        stopping.
    best_epoch_ : int or None
        Epoch whose weights were kept, counted from 1; None without early stopping.
    free_energy_gap_ : list of float
        Gap after each epoch of ``fit`` minus the gap before the first epoch, in nats
        per visible unit. Only available if ``early_stopping=True``.
    n_iter_ : int
        Number of epochs.
    n_features_in_ : int
        Number of visible units, which is the number of columns of X.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Column names of X in ``fit``, if X was a data frame.

    See Also
    --------
    HopfieldDenoiser : Symmetric network without hidden units that stores patterns.
    sklearn.neural_network.BernoulliRBM : Restricted machine with binary units.

    Notes
    -----
    The energy of visible states v and hidden states h is::

        E(v, h) = -v b - h c - h W v - 1/2 v L v - 1/2 h J h
        E(v, h) = |(v - b) / s|^2 / 2 - h c - h W (v / s)          (Gaussian)

    where W is ``components_``, b and c are the intercepts, L and J the weights within
    the layers, and s is ``scale_``. The probability of v is ``exp(-F(v)) / Z`` with the
    free energy ``F(v) = -log sum_h exp(-E(v, h))``. The gradient of the log-likelihood
    with respect to a weight is the mean product of its two units under the data minus
    the same mean under the machine (Ackley, Hinton and Sejnowski).

    In full machines, the units of a layer depend on each other given the other layer.
    Sums over the states of a layer are exact for up to 10 units. For larger layers,
    means are mean-field approximations and free energies are mean-field upper bounds.

    With ``binarize=None``, gray values g enter the energy like states, and
    ``score_samples`` returns ``-F(g) - log Z``. This is a lower bound of the mean
    log-probability of binary patterns drawn from the gray values. For values 0 and 1 it
    is the log-probability.

    Persistent chains rarely leave a mode of the distribution that has become likely,
    and training can then remove the other modes. In every training step, each chain
    therefore proposes to jump to the state of a row of the batch, and accepts by the
    Metropolis-Hastings rule (Hinton, Welling and Mnih). In a restricted machine this is
    the hidden state, in a full one the visible and the hidden state.

    ``loss_curve_`` monitors training, because the log-likelihood would be expensive.
    For binary units it is the mean over rows v and units i of::

        -log P(v_i | all v_j, j != i) = log(1 + exp(F(v) - F(v with unit i flipped)))

    which is minus the log pseudo-likelihood (Besag) divided by the number of units, as
    ``BernoulliRBM`` of scikit-learn monitors it. Predicting each unit with
    probability 1/2 gives log 2 = 0.69 nats. For Gaussian units it is the mean squared
    difference between standardized columns and their reconstruction, which is the mean
    of v given the means of h. Reconstructing the column means gives 1. This error may
    fall although the likelihood does not improve (Hinton, section 5).

    Visible biases are initialized with the log odds of their columns.

    A call of ``partial_fit`` is one epoch: k calls with the same X give the same result
    as ``fit`` with ``max_epochs=k``.

    References
    ----------
    D. H. Ackley, G. E. Hinton, T. J. Sejnowski: A learning algorithm for Boltzmann
    machines, Cognitive Science 9, 1985.

    J. Besag: Statistical analysis of non-lattice data, The Statistician 24, 1975.

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
        **CHECKPOINT_CONSTRAINTS,
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
        checkpoint=None,
        checkpoint_every=10.0,
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
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the distribution of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training patterns.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X contains values other than probabilities with ``binarize=None``, if
            there are too many units for ``gradient="exact"``, or if training diverges.
            An estimator that was fitted before remains unchanged.
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
            interrupt = new._train(rows, self.max_epochs, gap, whole=True)
        if interrupt is not None:
            raise interrupt
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one epoch on the rows of X, starting from the current weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training patterns.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.
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
        """Compute the means of the hidden units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Patterns.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
            Probability that each hidden unit is 1, given the row.
        """
        return self._evaluate(Machine.hidden_means, X)

    def inverse_transform(self, H):
        """Compute the means of the visible units.

        In full machines with more than 10 visible units they are mean-field
        approximations.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)
            States of the hidden units, or their means as :meth:`transform` returns
            them.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means of the visible units given the hidden units, on the scale of X (see
            ``binarize``). For units of 0 and 1 these are probabilities.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        hidden = check_hidden(H, fitted.components_)
        return fitted._from_visible(fitted._assemble_machine().visible_means(hidden))

    def energy(self, X, H):
        """Compute the energy of pairs of visible and hidden states.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.
        H : array-like of shape (n_samples, n_hidden)
            Hidden states.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            Energies in nats.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        hidden = check_hidden(H, fitted.components_)

        def compute(machine, visible):
            check_consistent_length(visible, hidden)
            return machine.energy(visible, hidden)

        return fitted._evaluate(compute, X)

    def free_energy(self, X):
        """Compute the free energy of visible states.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
            ``-log sum_h exp(-E(x, h))`` in nats, a sum over all hidden states h.
        """
        return self._evaluate(Machine.free_energy, X)

    def score_samples(self, X):
        """Compute the log-likelihood of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
            Log-probability in nats, or log-density if visible units are Gaussian. It
            has the accuracy of ``log_partition_`` and :meth:`free_energy`. For gray
            values (``binarize=None``) it is a lower bound of the mean log-probability
            of binary patterns drawn from them.

        Raises
        ------
        ValueError
            If ``log_partition_`` can only be estimated and ``ais_steps=0``.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        minus_free_energy = -fitted.free_energy(X)
        if np.isnan(fitted.log_partition_):
            raise ValueError(
                "log_partition_ is not available: this machine has too many units to "
                "sum over all states, and it was fitted with ais_steps=0. Fit with "
                "ais_steps=1000 to estimate it."
            )
        return minus_free_energy - fitted.log_partition_

    @on_snapshot
    def score(self, X, y=None):
        """Compute the mean log-likelihood of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Visible states.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Mean of :meth:`score_samples`, in nats per row.
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

        Samples are exact and independent if the states of the free units can be
        enumerated, which is limited to 20 units. The units that count are the free
        units of a full machine, those of the smaller layer of a restricted one, and the
        hidden units if visible units are Gaussian. Otherwise samples come from Gibbs
        sampling. Gibbs sampling is also used if ``temperature`` is an array, or if
        enumeration would take more than a few seconds because of many units or many
        different clamps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of samples.
        n_gibbs_steps : int, default=1000
            Number of sweeps of Gibbs sampling over all units, starting at the states of
            the chains at the end of training. With more sweeps, samples depend less on
            each other and on these states. Ignored if samples are exact.
        clamp : array-like of shape (n_features,) or (n_samples, n_features), \
default=None
            Values of visible units that are kept, on the scale of X, and NaN for units
            that are sampled.
        temperature : float or array-like of shape (n_gibbs_steps,), default=1.0
            Temperature, by which energies are divided. At 1, samples follow the learned
            distribution. An array that falls from above 1 to near 0 (annealing) finds
            its most likely patterns. If Gibbs sampling is used at a single temperature,
            the first half of the sweeps lowers it from 10 times its value, because
            chains that start at low temperatures may never leave their first pattern.
        random_state : int, RandomState instance or None, default=None
            Seed of the samples. With None it is the seed of ``fit``, and repeated calls
            return the same samples.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Samples with values 0 and 1 or on the scale of X (see ``binarize``), or with
            real values if visible units are Gaussian.

        Raises
        ------
        ValueError
            If ``clamp`` or ``temperature`` has a wrong shape.
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
        if held is not None and fitted._is_gaussian:  # values as given, not rounded
            X = np.where(held.mask, clamp, X)
        return X

    @property
    @on_snapshot
    def log_partition_(self):
        """Logarithm of the partition function, exact or estimated."""
        return self._log_partition.estimate[0] + self._log_scale

    @property
    def log_partition_std_(self):
        """Standard error of ``log_partition_``."""
        return self._log_partition.estimate[1]

    def _validate(self, X, *, reset):
        dtype = (np.float64, np.float32) if reset else self.components_.dtype
        # the memory order of an array affects how sums over it are rounded
        return validate_patterns(self, X, reset=reset, dtype=dtype, order="C")

    @property
    def _is_gaussian(self):
        """Whether the machine was fitted with Gaussian visible units."""
        return hasattr(self, "_std")

    def _start(self, X):
        """Discard what was learned and draw initial weights. Returns training rows."""
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
        """Training rows: standardized Gaussian columns, bits or probabilities."""
        if self._is_gaussian:
            return (X - self._mean) / self._std
        if self._cut is not None:
            with np.errstate(over="ignore"):  # of a cut that float32 cannot hold
                return X > self._cut
        check_probabilities(X)
        return X

    def _train(self, rows, n_epochs, gap=None, whole=False):
        """Train and set the fitted attributes. Returns a KeyboardInterrupt, if any.

        A ``whole`` training reads and writes checkpoints. After an interrupt, the model
        of the last complete epoch is kept. If no epoch was completed, the interrupt is
        raised here.
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
        name = ""
        if self.verbose:
            fit = describe_fit(getattr(self, "_parent_callback_ctx", None), self)
            name = ", ".join(filter(None, [type(self).__name__, fit]))
        checkpoints = open_checkpoints(self, rows, options, gap) if whole else None
        trainer = Trainer(rows, options, self._seed, gap, name, checkpoints)
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
        """Set the fitted attributes from the learned state."""
        machine = self._state.average
        self.n_iter_ = self._state.n_epochs
        self.loss_curve_ = self._state.losses
        self.validation_loss_curve_ = self._state.held_out_losses
        self.best_epoch_ = self._state.best_epoch
        if self._state.gaps is not None:
            self.free_energy_gap_ = self._state.gaps
        self._log_partition = LogPartition(self._state, self.ais_steps, self._seed)
        self._log_scale = 0.0
        if machine.gaussian:  # back from standardized columns to the units of X
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

    def _summarize_fit(self):
        """Numbers of units and weights, epochs and losses."""
        n_hidden, n_visible = self.components_.shape
        n_weights = n_hidden * n_visible
        kind = "restricted"
        if hasattr(self, "visible_weights_"):
            kind = "full"
            n_weights += (n_visible * (n_visible - 1) + n_hidden * (n_hidden - 1)) // 2
        return {
            "connections": kind,
            "units": f"{n_visible:,} visible, {n_hidden:,} hidden",
            "weights": f"{n_weights:,}",
            **summarize_epochs(self),
        }

    def _get_fitted_attr_html(self, doc_link=""):
        """The fitted attributes without estimates that would have to be computed."""
        if not is_fitted(self):
            return super()._get_fitted_attr_html(doc_link)
        shown = snapshot(self)
        is_known = "estimate" in vars(shown._log_partition)
        if not is_known:
            state = shown._state
            shown._log_partition = LogPartition(state, 0, 0)
            vars(shown._log_partition)["estimate"] = (np.nan, np.nan)
        attributes = super(BoltzmannMachine, shown)._get_fitted_attr_html(doc_link)
        if not is_known:
            for name in ("log_partition_", "log_partition_std_"):
                del attributes.data[name]
        return attributes

    def _assemble_machine(self):
        """Combine the fitted parameters into one object."""
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
        """Return ``compute(machine, visible)`` for the rows of X."""
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
                f"energy overflows {X.dtype}. Pass X in the same unit as in fit."
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
