"""Exogenous variables: rows of whole blocks, names, and an index that matches X."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn import RNNForecaster
from sklearn_rnn._data.series import read_series
from sklearn_rnn.forecasting._exog import (
    ExogVariables,
    count_rows_ahead,
    learn_exog,
    read_exog,
    read_exog_ahead,
)

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(60) / 4) + 0.1 * RNG.normal(size=60)
EXOG = RNG.normal(size=(80, 2))
DAYS = pd.date_range("2020-01-01", periods=80, freq="D")
DATED = pd.Series(NOISY, index=DAYS[:60])
FRAME = pd.DataFrame(EXOG, index=DAYS, columns=["price", "promotion"])
SWAPPED = FRAME[["promotion", "price"]]
TWO_VARIABLES = ExogVariables(2)


def forecaster(**params):
    given = {"hidden_size": 4, "window": 12, "max_epochs": 1, "random_state": 0}
    return RNNForecaster(**given | {"intervals": None} | params)


def learn(exog):
    """Learn the variables of exog, without a calendar."""
    return learn_exog(exog, read_series(NOISY), None)


def test_exogenous_variables_are_learned_and_read():
    assert learn(None) == ExogVariables(0)
    assert learn(NOISY) == ExogVariables(1)
    assert learn([EXOG, EXOG]) == TWO_VARIABLES
    series = read_series(NOISY)
    assert read_exog(None, ExogVariables(0), series) is None
    assert_array_equal(read_exog(EXOG[:60], TWO_VARIABLES, series), [EXOG[:60]])


def test_names_are_those_of_columns_or_of_a_single_series():
    assert learn(FRAME).names == ["price", "promotion"]
    assert learn([FRAME, FRAME]).names == ["price", "promotion"]
    assert learn(FRAME["price"]).names == ["price"]
    assert learn([FRAME["price"].rename("shop 1")] * 2).names is None
    assert learn(pd.DataFrame(EXOG)).names is None
    assert learn(EXOG).names is None


def test_exogenous_variables_are_split_into_past_and_future():
    lengths = np.array([50, 40])
    series = read_series([NOISY[:50], NOISY[:40]])
    past, ahead = read_exog_ahead(
        [EXOG[:60], EXOG[:50]], TWO_VARIABLES, series, lengths, 10, 5
    )
    assert_array_equal(past[0], EXOG[:50])
    assert_array_equal(past[1], EXOG[:40])
    assert_array_equal(ahead, [EXOG[50:60], EXOG[40:50]])
    nothing = ExogVariables(0)
    assert read_exog_ahead(None, nothing, series, lengths, 10, 5) == (None, None)
    one = read_series(NOISY)
    _, ahead = read_exog_ahead(EXOG[:3], TWO_VARIABLES, one, np.array([0]), 3, 1)
    assert_array_equal(ahead, EXOG[None, :3])


# ---------------------------------------------------------------- rows ahead


def test_rows_ahead_are_those_of_whole_blocks():
    assert [count_rows_ahead(k, 7) for k in (1, 7, 8, 14)] == [7, 7, 14, 14]


@pytest.mark.parametrize(("horizon", "needed"), [(1, 7), (7, 7), (8, 14)])
@pytest.mark.parametrize("method", ["predict", "predict_interval", "sample_paths"])
def test_forecasts_need_the_rows_of_whole_blocks(method, horizon, needed):
    model = forecaster(horizon=7, intervals="quantile").fit(NOISY, exog=EXOG[:60])
    options = {"random_state": 0} if method == "sample_paths" else {}
    ask = getattr(model, method)
    ask(horizon=horizon, exog=EXOG[60 : 60 + needed], **options)
    ask(NOISY, horizon=horizon, exog=EXOG[: 60 + needed], **options)
    why = "" if horizon == 7 else ".*whole blocks of 7.*fitted with horizon=7"
    for n_rows in {horizon, needed - 1, needed + 1} - {needed}:
        message = rf"exog has {n_rows} rows, but {needed} are needed.*{needed} steps to"
        with pytest.raises(ValueError, match=message + why):
            ask(horizon=horizon, exog=EXOG[60 : 60 + n_rows], **options)
        message = f"exog has {60 + n_rows} rows, but {60 + needed} are needed: one for "
        with pytest.raises(ValueError, match=message + "each of the steps of X and"):
            ask(NOISY, horizon=horizon, exog=EXOG[: 60 + n_rows], **options)


def test_shorter_forecasts_are_the_beginning_of_longer_ones():
    model = forecaster(horizon=7, max_epochs=3).fit(NOISY, exog=EXOG[:60])
    block = model.predict(horizon=7, exog=EXOG[60:67])
    assert_array_equal(model.predict(horizon=2, exog=EXOG[60:67]), block[:2])
    longer = model.predict(horizon=14, exog=EXOG[60:74])
    assert_array_equal(model.predict(horizon=9, exog=EXOG[60:74]), longer[:9])


def test_calibration_does_not_depend_on_rows_after_the_series():
    """Errors of blocks whose exog is incomplete are left out."""
    model = forecaster(horizon=4, intervals="conformal").fit(NOISY, exog=EXOG[:60])
    errors = model._intervals.calibration.errors[..., 0]
    assert errors.shape[1] % 4 == 0
    leads = np.arange(1, errors.shape[1] + 1)
    ends = -(-leads // 4) * 4  # the last step that the block of a lead reads
    n_steps = len(errors)  # from the first origin to the last
    known = np.arange(n_steps)[:, None] + ends <= n_steps
    assert_array_equal(np.isfinite(errors), known)


# ---------------------------------------------------------------- what is refused


def test_missing_or_mismatched_exog_raises_an_error():
    model = forecaster().fit(NOISY, exog=EXOG[:60])
    with pytest.raises(ValueError, match=r"exog is missing.*horizon=3"):
        model.predict(horizon=3)
    with pytest.raises(
        ValueError, match=r"missing.*steps of X and the 3 steps to fore"
    ):
        model.predict(NOISY, horizon=3)
    with pytest.raises(ValueError, match=r"exog is missing.*at the steps of X\."):
        model.update(NOISY)
    with pytest.raises(
        ValueError, match="exog has 1 features, but RNNForecaster is exp"
    ):
        model.predict(horizon=3, exog=EXOG[:3, :1])
    gap = EXOG[:3].copy()
    gap[1, 1] = np.nan
    with pytest.raises(ValueError, match="exog contains NaN in row 1, column 1"):
        model.predict(horizon=3, exog=gap)
    with pytest.raises(ValueError, match="fitted without"):
        forecaster().fit(NOISY).predict(horizon=1, exog=EXOG[:1])
    with pytest.raises(ValueError, match="exog has 2 series, but X has 1"):
        forecaster().fit(NOISY, exog=[EXOG, EXOG])
    with pytest.raises(ValueError, match=r"series 1 of exog has 59 rows, but 60 are"):
        forecaster().fit([NOISY, NOISY], exog=[EXOG[:60], EXOG[:59]])


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame[["promotion", "price"]],
            r"exog should match.*\['price', 'promotion'\], but they are "
            r"\['promotion', 'price'\].*same order",
        ),
        (
            lambda frame: frame.rename(columns={"price": "Price"}),
            r"unseen at fit time: \['Price'\].*now missing: \['price'\]",
        ),
        (lambda frame: frame[["price"]], r"now missing: \['promotion'\]"),
    ],
)
def test_other_columns_than_in_fit_raise_an_error(several, change, message):
    def wrap(x):
        return [x, x] if several else x

    model = forecaster().fit(wrap(DATED), exog=wrap(FRAME[:60]))
    other = change(FRAME)
    with pytest.raises(ValueError, match=message):
        model.predict(horizon=3, exog=wrap(other[60:63]))
    with pytest.raises(ValueError, match=message):
        model.predict(wrap(DATED), horizon=3, exog=wrap(other[:63]))
    with pytest.raises(ValueError, match=message):
        model.score(wrap(DATED), exog=wrap(other[:60]))
    later = pd.Series([0.0, 1.0], index=DAYS[60:62])
    with pytest.raises(ValueError, match=message):
        model.update(wrap(later), exog=wrap(other[60:62]))
    model.predict(horizon=3, exog=wrap(FRAME[60:63].to_numpy()))


def test_columns_that_differ_between_series_raise_an_error():
    with pytest.raises(ValueError, match="series 1 of exog has the columns"):
        forecaster().fit([DATED, DATED], exog=[FRAME[:60], SWAPPED[:60]])


@pytest.mark.parametrize("several", [False, True])
def test_an_index_unlike_that_of_x_raises_an_error(several):
    def wrap(x, other=None):  # the other series is right
        return [x if other is None else other, x] if several else x

    name = "series 1 of exog" if several else "exog"
    model = forecaster().fit(wrap(DATED), exog=wrap(FRAME[:60]))
    late = FRAME[:60].set_axis(DAYS[:60] + pd.Timedelta("50D"))
    message = (
        f"index of {name} does not match.*row 0 is 2020-02-20.*expected 2020-01-01"
    )
    for method in (forecaster().fit, model.score):
        with pytest.raises(ValueError, match=message):
            method(wrap(DATED), exog=wrap(late, FRAME[:60]))
    message = f"index of {name}.*row 0 is 2020-03-02.*expected 2020-03-01"
    with pytest.raises(ValueError, match=message):
        model.predict(horizon=3, exog=wrap(FRAME[61:64], FRAME[60:63]))
    message = f"index of {name} is not regular: 2020-03-02.* follows 2020-02-29"
    with pytest.raises(ValueError, match=message):
        gap = FRAME.drop(index=DAYS[60])[:63]
        model.predict(wrap(DATED), horizon=3, exog=wrap(gap, FRAME[:63]))
    later = pd.Series([0.0, 1.0], index=DAYS[60:62])
    for X in (wrap(later), wrap(later.to_numpy())):
        message = f"index of {name}.*row 0 is 2020-03-02.*expected 2020-03-01"
        with pytest.raises(ValueError, match=message):
            model.update(X, exog=wrap(FRAME[61:63], FRAME[60:62]))
    model.predict(horizon=3, exog=wrap(FRAME[60:63]))
    model.update(wrap(later), exog=wrap(FRAME[60:62]))
    model.predict(horizon=3, exog=wrap(FRAME[62:65]))


def test_an_index_without_time_does_not_match_dates():
    numbered = FRAME[:60].reset_index(drop=True)
    with pytest.raises(ValueError, match="row 0 is 0, expected 2020-01-01"):
        forecaster().fit(DATED, exog=numbered)
    with pytest.raises(ValueError, match=r"row 0 is 2020-01-01 00:00:00\+00:00"):
        forecaster().fit(DATED, exog=FRAME[:60].tz_localize("UTC"))
    forecaster().fit(NOISY, exog=FRAME[:60])  # X has no index to compare with


def test_rows_after_labels_are_not_compared():
    labels = [f"step {i:02}" for i in range(63)]
    exog = FRAME[:63].set_axis(labels)
    model = forecaster().fit(DATED.set_axis(labels[:60]), exog=exog[:60])
    assert len(model.predict(horizon=3, exog=exog[60:])) == 3
    with pytest.raises(ValueError, match="row 0 is step 01, expected step 00"):
        model.predict(DATED[:59].set_axis(labels[:59]), horizon=3, exog=exog[1:])


def test_the_container_of_exog_does_not_matter():
    plain = forecaster(horizon=3).fit(NOISY, exog=EXOG[:60])
    dated = forecaster(horizon=3).fit(DATED, exog=FRAME[:60])
    assert_allclose(
        dated.predict(horizon=3, exog=FRAME[60:63]).to_numpy(),
        plain.predict(horizon=3, exog=EXOG[60:63]),
    )
