"""Encodings of series for tests, without a forecaster."""

from sklearn_rnn.forecasting._encoding import fit_encoding
from sklearn_rnn.forecasting._theta import ThetaBaseline
from sklearn_rnn.forecasting._values import fit_values

OF_BASELINE = {"horizon": 1, "lag": 0, "residual": False, "scaling": "global"}
OF_ENCODING = {"window": 5, "last_only": False, "quantiles": (0.5,)}


def encode(values, exog=None, **settings):
    """An encoding of standardized values."""
    of_baseline = OF_BASELINE | {k: v for k, v in settings.items() if k in OF_BASELINE}
    rest = {k: v for k, v in settings.items() if k not in OF_BASELINE}
    baseline = fit_values(values, **of_baseline)
    return fit_encoding(values, exog, baseline, **OF_ENCODING | rest)


def encode_theta(values, exog=None, *, horizon=3, seasons=(), **settings):
    """An encoding with the Theta method."""
    fill = sum(v.sum(axis=0) for v in values) / sum(map(len, values))
    baseline = ThetaBaseline(horizon, seasons, False, fill)
    return fit_encoding(values, exog, baseline, **OF_ENCODING | settings)


def read(baseline, values):
    """The state of a baseline after values (T, C)."""
    state = baseline.begin()
    for row in values:
        state, _ = baseline.advance(state, row[None])
    return state
