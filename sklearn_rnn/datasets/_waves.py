"""Generated series that can be forecast up to their noise."""

import numpy as np
from sklearn.utils import check_random_state


def make_waves(n_series=1000, n_timesteps=50, *, noise=0.1, random_state=None):
    """Generate series that are sums of two sine waves and noise.

    Parameters
    ----------
    n_series : int, default=1000
        Number of series.
    n_timesteps : int, default=50
        Number of time steps of each series, which cover the time from 0 to 1.
    noise : float, default=0.1
        Width of the interval of the uniform noise, which is centered at 0.
    random_state : int, RandomState instance or None, default=None
        Seed of the random frequencies, phases and noise.

    Returns
    -------
    X : ndarray of shape (n_series, n_timesteps, 1)
        Generated series.

    Notes
    -----
    The series are those of [1]_. For the default noise,

    .. math::
        x(t) = 0.5 \\sin((t - o_1)(10 f_1 + 10)) + 0.2 \\sin((t - o_2)(20 f_2 + 20))
        + 0.1 (u - 0.5)

    where the frequencies f and the phases o of each series, and u of each step, are
    uniformly distributed in [0, 1].

    References
    ----------
    .. [1] A. Géron, "Hands-On Machine Learning with Scikit-Learn, Keras, and
       TensorFlow", 2nd edition, chapter 15, O'Reilly, 2019.

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_waves
    >>> make_waves(3, 20, random_state=0).shape
    (3, 20, 1)
    """
    rng = check_random_state(random_state)
    f1, f2, o1, o2 = rng.uniform(size=(4, n_series, 1))
    t = np.linspace(0, 1, n_timesteps)
    X = 0.5 * np.sin((t - o1) * (10 * f1 + 10)) + 0.2 * np.sin(
        (t - o2) * (20 * f2 + 20)
    )
    return (X + noise * (rng.uniform(size=X.shape) - 0.5))[:, :, None]
