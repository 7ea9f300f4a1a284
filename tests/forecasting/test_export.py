"""Forecasters as torch modules and ONNX graphs."""

import json

import numpy as np
import pytest
import torch

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting._export import describe_model

REASON = "needs the extra onnx: pip install sklearn-rnn[onnx]"
H = 3
FAST = {
    "hidden_size": 4,
    "horizon": H,
    "window": 8,
    "max_epochs": 1,
    "random_state": 0,
    "intervals": None,
}
LENGTHS = [40, 23, 31]

rng = np.random.default_rng(0)
SEASON = 3 * np.sin(np.arange(40) * np.pi / 2)[:, None]
SERIES = [20 + SEASON[:n] + rng.normal(size=(n, 2)) for n in LENGTHS]
EXOG = [rng.normal(size=(n + H, 2)) for n in LENGTHS]
OPTIONS = {
    "values": {"differencing": 2, "scaling": "series"},
    "theta": {"season": 4, "transform": "log", "bounds": (10, 21)},
    "quantiles": {"baseline": "mean", "intervals": "quantile", "target": "last"},
    "exog": {"baseline": "theta", "num_layers": 2, "cell": "lstm"},
}


def make_case(name):
    """Return a fitted model, padded inputs, and the forecasts of predict."""
    series = [x.clip(11, 20) for x in SERIES] if name == "theta" else SERIES
    if name == "values":
        series = [x.copy() for x in series]
        series[0][[5, -1], 0] = np.nan
    exog = EXOG if name == "exog" else None
    model = RNNForecaster(**FAST | OPTIONS[name])
    model.fit(series, exog=exog and [e[:-H] for e in exog])
    inputs = {"X": pad(series), "lengths": np.array(LENGTHS)}
    if exog:
        inputs["exog"] = pad(exog, 0)
    forecasts = [model.predict(x, exog=exog and exog[k]) for k, x in enumerate(series)]
    return model, inputs, np.stack(forecasts)


def pad(arrays, value=np.nan):
    width = max(map(len, arrays))
    return np.stack(
        [
            np.pad(x, ((0, width - len(x)), (0, 0)), constant_values=value)
            for x in arrays
        ]
    )


def point(forecasts):
    return forecasts[..., forecasts.shape[3] // 2] if forecasts.ndim == 4 else forecasts


@pytest.mark.parametrize("name", OPTIONS)
def test_a_module_makes_the_same_forecasts(name):
    model, inputs, expected = make_case(name)
    tensors = [torch.from_numpy(part) for part in inputs.values()]
    with torch.inference_mode():
        found = model.to_torch()(*tensors).numpy()
    np.testing.assert_allclose(point(found), expected, rtol=1e-9)
    assert found.ndim == (4 if name == "quantiles" else 3)


def test_no_lengths_mean_no_padding():
    model = RNNForecaster(**FAST).fit(SERIES[0])
    with torch.inference_mode():
        found = model.to_torch()(torch.from_numpy(SERIES[0]).unsqueeze(0))
    np.testing.assert_allclose(found[0], model.predict(SERIES[0]), rtol=1e-9)


def test_inputs_that_do_not_fit_are_errors():
    module = RNNForecaster(**FAST).fit(SERIES).to_torch()
    with pytest.raises(ValueError, match=r"shape \(1, 40\); expected \(n_series, n_ti"):
        module(torch.ones(1, 40))
    with pytest.raises(ValueError, match="exog is given, but the model was fitted wit"):
        module(torch.ones(1, 40, 2), exog=torch.ones(1, 43, 1))


@pytest.mark.parametrize("name", ["theta", "quantiles"])
def test_a_module_has_gradients(name):
    model, inputs, _ = make_case(name)
    x = torch.from_numpy(inputs["X"]).requires_grad_()
    model.to_torch()(x, torch.from_numpy(inputs["lengths"])).sum().backward()
    valid = np.isfinite(inputs["X"])
    assert x.grad.isfinite().all()
    assert (x.grad.numpy()[valid] != 0).any()
    assert (x.grad.numpy()[~valid] == 0).all()


def spoil(inputs):
    """Add a large value, remove all values, and set a length to 0: once per series."""
    spoiled = {name: array.copy() for name, array in inputs.items()}
    spoiled["X"][0, 2, 0] = 1e151
    spoiled["X"][1] = np.nan
    spoiled["lengths"][2] = 0
    return spoiled


@pytest.mark.parametrize("name", OPTIONS)
def test_series_that_cannot_be_forecast(name):
    model, inputs, _ = make_case(name)
    x, lengths, *exog = (torch.from_numpy(part) for part in spoil(inputs).values())
    module = model.to_torch()
    with pytest.raises(ValueError, match=r"steps are 0 to 40, .* at least \d+ are"):
        module(x, lengths, *exog)
    lengths[2] = module.min_length
    assert module(x, lengths, *exog)[:2].isnan().all()
    if name == "values":
        assert module.min_length == 3
        with pytest.raises(ValueError, match="needs at least 3"):
            model.predict(SERIES[0][:2])
    assert len(module(x[:0], lengths[:0], *(part[:0] for part in exog))) == 0
    for part in exog:
        with pytest.raises(ValueError, match=r"exog has the shape \(3, 43, 1\); expec"):
            module(x, lengths, part[..., :1])


def test_modes_of_the_user_are_ignored_and_paths_checked_first(tmp_path):
    model = RNNForecaster(**FAST, baseline=None).fit(SERIES[0])
    with torch.inference_mode(), torch.device("meta"):
        module = model.to_torch()
    module(torch.from_numpy(SERIES[0]).unsqueeze(0)).sum().backward()
    assert module.head.weight.grad.abs().sum() > 0
    with pytest.raises(FileNotFoundError, match="missing'"):
        model.to_onnx(tmp_path / "missing" / "m.onnx")


def test_inputs_are_described():
    pd = pytest.importorskip("pandas")
    index = pd.date_range("2024-01-01", periods=24 * 15, freq="h")
    series = pd.Series(20 + np.sin(np.arange(len(index)) / 4), index)
    exog = pd.DataFrame({"temperature": series}, index)
    model = RNNForecaster(**FAST, calendar="auto", bounds=(0, None), baseline="mean")
    facts = describe_model(model.fit(series, exog=exog))
    weekdays = [f"weekday_{day}" for day in range(7)]
    assert facts["exog"] == ["temperature", "hour_sin", "hour_cos", *weekdays]
    assert facts["bounds"] == [0, None]
    assert facts["min_length"] == H


@pytest.mark.slow  # torch.onnx takes seconds
@pytest.mark.parametrize("name", OPTIONS)
def test_a_graph_makes_the_same_forecasts(name, tmp_path):
    pytest.importorskip("onnxscript", reason=REASON)
    onnxruntime = pytest.importorskip("onnxruntime", reason=REASON)
    model, inputs, expected = make_case(name)
    model.to_onnx(tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    (found,) = session.run(["variable"], inputs)
    np.testing.assert_allclose(point(found), expected, rtol=1e-5)
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["horizon"]) == H
    assert ("baseline" in facts) == (name != "values")
    one = {part: array[:1] for part, array in inputs.items()}
    (found,) = session.run(["variable"], one)
    np.testing.assert_allclose(point(found), expected[:1], rtol=1e-5)
    (found,) = session.run(["variable"], spoil(inputs))
    assert np.isnan(found).all()
    none = {part: array[:0] for part, array in inputs.items()}
    assert len(session.run(["variable"], none)[0]) == 0
    if name == "exog":
        inputs["exog"][0, -1] = np.nan
        (found,) = session.run(["variable"], inputs)
        assert np.isnan(found[0]).all()
        np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch itself
@pytest.mark.parametrize("name", ["values", "theta"])
def test_torch_export_accepts_any_number_of_series_and_steps(name):
    model, inputs, expected = make_case(name)
    module, dynamic = model.to_torch(), torch.export.Dim.DYNAMIC
    x, lengths = (torch.from_numpy(part) for part in inputs.values())
    exported = torch.export.export(
        module,
        (x[:2, :20].contiguous(), torch.tensor([20, 15])),
        dynamic_shapes=({0: dynamic, 1: dynamic}, {0: dynamic}),
    ).module()
    found = exported(x, lengths).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
