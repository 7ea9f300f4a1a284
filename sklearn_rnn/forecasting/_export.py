"""Export of RNNForecaster to torch and ONNX: one block of forecasts.

Shapes: n series, T steps, h steps that are forecast at once, C channels, K exogenous
variables, Q quantiles (1 for a point forecast).
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._core.container import find_target
from sklearn_rnn._core.device import ignore_torch_modes
from sklearn_rnn._data.series import LARGEST
from sklearn_rnn._nn.onnx_graph import Graph, import_onnx
from sklearn_rnn._nn.onnx_layers import (
    add_head,
    add_mask,
    add_nan,
    add_nan_of_lengths,
    add_nan_of_numbers,
    add_recurrence,
)
from sklearn_rnn._nn.standard import (
    StandardNetwork,
    check_lengths,
    make_standard_network,
    pool_steps,
    to_buffer,
)
from sklearn_rnn.forecasting._calendar import name_columns
from sklearn_rnn.forecasting._encoding import SeriesEncoding
from sklearn_rnn.forecasting._reading import count_needed
from sklearn_rnn.forecasting._rollout import SeriesNetwork
from sklearn_rnn.forecasting._torch_baselines import (
    BaselineReader,
    State,
    expand_as,
    make_reader,
)

ROWS, STEPS = "n_series", "n_timesteps"  # names of dynamic axes

OPSET, IR_VERSION = 18, 10  # the lowest ones for which torch converts modules


class StandardForecaster(nn.Module):
    """A network that reads series in their own unit, and forecasts a block of steps."""

    exog_mean: Tensor | None
    exog_scale: Tensor | None

    def __init__(self, encoding: SeriesEncoding, network: StandardNetwork) -> None:
        super().__init__()
        self.baseline = make_reader(encoding.baseline)
        self.recurrence, self.head = network.recurrence, network.head
        self.tells_missing = encoding.tells_missing
        self.shape, self.bounds = encoding.forecast_shape, encoding.bounds
        self.min_length = count_needed(encoding)
        for name in ("exog_mean", "exog_scale"):
            numbers = getattr(encoding, name)
            self.register_buffer(name, None if numbers is None else to_buffer(numbers))

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, exog: Tensor | None = None
    ) -> Tensor:
        """Forecast the h steps after series (n, T, C) with ``lengths`` (n,).

        ``exog`` (n, T + h, K) belongs to the steps of x and those after them. Returns
        forecasts (n, h, C), or (n, h, C, Q) of all quantiles.
        """
        self._check_input(x, exog)
        lengths = check_lengths(x, lengths, self.min_length)
        steps = torch.arange(x.shape[1], device=x.device)
        valid = steps < lengths.unsqueeze(1)
        unusable = self._find_unusable(x, valid, lengths)
        # any positive number, because logarithms may be taken
        x = x.to(self.baseline.fill.dtype).masked_fill(~valid.unsqueeze(2), 1.0)
        state, features = self.baseline(x, valid)
        parts = [features]
        if self.tells_missing:
            parts.append(x.isnan().to(features.dtype))
        if exog is not None:
            parts.append(self._slide(exog))
        lag = self.baseline.lag
        inputs = torch.cat(parts, 2)[:, lag:].to(self.head.weight.dtype)
        outputs, _ = self.recurrence(inputs)
        last = pool_steps(outputs, (lengths - lag).clamp(min=1), "last", False)
        forecasts = self.finish(self.head(last), state)
        return forecasts.masked_fill(expand_as(unusable, forecasts), torch.nan)

    def _find_unusable(self, x: Tensor, valid: Tensor, lengths: Tensor) -> Tensor:
        """Find series (n,) without values, too large ones, or of impossible lengths."""
        valid, n_steps = valid.unsqueeze(2), x.shape[1]
        known = (valid & ~x.isnan()).any(2).any(1)
        large = (valid & (x.abs() >= LARGEST)).any(2).any(1)
        short = (lengths < self.min_length) | (lengths > n_steps)
        return short | large | ~known

    def finish(self, last: Tensor, state: State) -> Tensor:
        """Return the forecasts for the last outputs (n, h * C * Q) of the head."""
        last = last.to(self.baseline.fill.dtype).view(last.shape[0], *self.shape)
        if self.shape[2] > 1:  # the outputs for different quantiles may cross
            last = last.sort(3).values
        forecasts = self.baseline.decode(state, last).clamp(*self.bounds)
        return forecasts if self.shape[2] > 1 else forecasts.squeeze(3)

    def _slide(self, exog: Tensor) -> Tensor:
        """Return the variables (n, T, h * K) of the h steps after each step."""
        assert self.exog_mean is not None and self.exog_scale is not None
        exog = (exog.to(self.exog_mean.dtype) - self.exog_mean) / self.exog_scale
        exog = exog + (
            exog - exog
        )  # infinity, which layers would saturate, becomes NaN
        h, n_steps = self.shape[0], exog.shape[1] - self.shape[0]
        ahead = [exog[:, k + 1 : k + 1 + n_steps] for k in range(h)]
        return torch.cat(ahead, 2)

    def _check_input(self, x: Tensor, exog: Tensor | None) -> None:
        if x.ndim != 3 or x.shape[2] != self.shape[1]:
            raise ValueError(
                f"the series have the shape {tuple(x.shape)}; expected (n_series, "
                f"n_timesteps, n_channels={self.shape[1]})."
            )
        if (exog is None) != (self.exog_mean is None):
            given = "exog is None" if exog is None else "exog is given"
            fitted = "with" if exog is None else "without"
            raise ValueError(
                f"{given}, but the model was fitted {fitted} exogenous or calendar "
                "variables. Pass the variables that it was fitted with."
            )
        if exog is None or self.exog_mean is None:
            return
        expected = x.shape[1] + self.shape[0], len(self.exog_mean)
        if exog.ndim != 3 or exog.shape[0] != x.shape[0] or exog.shape[1:] != expected:
            raise ValueError(
                f"exog has the shape {tuple(exog.shape)}; expected ({x.shape[0]}, "
                f"{expected[0]}, {expected[1]}): (n_series, n_timesteps + horizon, "
                "n_variables)."
            )


@ignore_torch_modes()
def export_torch(network: SeriesNetwork) -> StandardForecaster:
    """Copy the network of a forecaster, with its baseline, to standard layers."""
    standard = make_standard_network(network.module, nn.Identity())
    device = standard.head.weight.device
    module = StandardForecaster(network.encoding, standard)
    return module.to(device).eval()


# ---------------------------------------------------------------------------- ONNX


class BaselineStep(nn.Module):
    """A step of a baseline, with its state as a tuple, for torch.onnx."""

    def __init__(self, baseline: BaselineReader) -> None:
        super().__init__()
        self.baseline, self.names = baseline, tuple(baseline.begin(1))

    def forward(
        self, state: tuple[Tensor, ...], values: Tensor, valid: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        named = dict(zip(self.names, state, strict=True))
        new, features = self.baseline.step(named, values, valid)
        return tuple(new[name] for name in self.names), features


class BlockDecoder(nn.Module):
    """The forecasts of a module for outputs of its head, for torch.onnx."""

    def __init__(self, module: StandardForecaster) -> None:
        super().__init__()
        self.module, self.names = module, tuple(module.baseline.begin(1))

    def forward(self, state: tuple[Tensor, ...], last: Tensor) -> Tensor:
        return self.module.finish(last, dict(zip(self.names, state, strict=True)))


@ignore_torch_modes()
def export_onnx(network: SeriesNetwork, path: Any, facts: dict[str, Any]) -> None:
    """Write the network of a fitted forecaster as an ONNX graph."""
    find_target(path)
    module = export_torch(network).cpu()
    h, C, Q = module.shape
    encoding, baseline = network.encoding, module.baseline
    graph = Graph(OPSET, IR_VERSION)
    x = graph.input("X", np.float64, [ROWS, STEPS, C])
    lengths = graph.input("lengths", np.int64, [ROWS])
    valid = add_mask(graph, x, lengths, axis=1)
    nan = _add_nan(graph, x, valid, lengths, module.min_length)
    x = graph.add("Where", valid, x, graph.constant(1.0))  # any positive number
    series = graph.transpose(x, 1, 0, 2)
    before = _add_states(graph, baseline, x)
    valid = graph.transpose(graph.drop_axis(valid, 2), 1, 0)
    *state, inputs = _add_scan(graph, baseline, before, [series, valid])
    if encoding.tells_missing:
        missing = graph.cast(graph.add("IsNaN", series), np.float64)
        inputs = graph.add("Concat", inputs, missing, axis=2)
    if encoding.exog_mean is not None:
        exog = graph.input(
            "exog", np.float64, [ROWS, f"{STEPS} + {h}", encoding.n_exog]
        )
        inputs = graph.add("Concat", inputs, _add_exog(graph, module, exog), axis=2)
        nan = graph.add("Add", nan, _add_nan_of_exog(graph, exog, lengths, h))
    if encoding.lag:
        ends = (graph.constant([k]) for k in (encoding.lag, np.iinfo(np.int64).max, 0))
        inputs = graph.add("Slice", inputs, *ends)
        lengths = graph.add("Sub", lengths, graph.constant(encoding.lag))
        lengths = graph.add("Max", lengths, graph.constant(0))
    inputs = graph.cast(inputs, np.float32)
    _, states = add_recurrence(graph, module.recurrence, inputs, lengths)
    last = graph.cast(add_head(graph, module.head, states[-1][0]), np.float64)
    forecasts = _add_decoder(graph, module, state, last)
    for axis in range(1, 4 if Q > 1 else 3):
        nan = graph.add_axis(nan, axis)
    forecasts = graph.add("Add", forecasts, nan)
    quantiles = [Q] if Q > 1 else []
    graph.output("variable", forecasts, np.float64, [ROWS, h, C, *quantiles])
    graph.save(path, "RNNForecaster", facts)


def describe_model(model: Any) -> dict[str, Any]:
    """Return the metadata of the ONNX file of a fitted RNNForecaster, by name."""
    variables, encoding = model._exog_variables, model._encoding
    names = getattr(model, "feature_names_in_", None)
    given = variables.names or [f"exog_{k}" for k in range(variables.n_variables)]
    bounds = [bound if np.isfinite(bound) else None for bound in encoding.bounds]
    facts = {
        "class": type(model).__name__,
        "horizon": encoding.horizon,
        "channels": None if names is None else names.tolist(),
        "min_length": count_needed(encoding),
        "exog": [*given, *name_columns(variables.calendar)],
        "calendar": list(variables.calendar),
        "baseline": model.baseline_,
        "seasons": list(model.seasons_),
        "transform": model.transform_,
        "bounds": None if bounds == [None, None] else bounds,
        "quantiles": list(encoding.quantiles) if len(encoding.quantiles) > 1 else None,
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, [])}


def _add_nan(graph: Graph, x: str, valid: str, lengths: str, least: int) -> str:
    """Return NaN for series (n, T, C) without forecasts, and 0 for others.

    These have no values, too large ones, or less than ``least`` steps.
    """
    known = graph.add("And", valid, graph.add("Not", graph.add("IsNaN", x)))
    x_known = graph.add("Where", known, x, graph.constant(0.0))
    scaled = graph.add("Mul", x_known, graph.constant(np.finfo("d").max / LARGEST))
    large = add_nan_of_numbers(graph, scaled, 1, 2)  # where scaled values overflow
    n_known = graph.cast(known, np.float64)
    n_known = graph.add("ReduceSum", n_known, graph.constant([1, 2]), keepdims=0)
    empty = graph.add("Equal", n_known, graph.constant(0.0))
    nan = graph.add("Add", large, add_nan(graph, empty, np.float64))
    short = add_nan_of_lengths(graph, lengths, x, least, np.float64)
    return graph.add("Add", nan, short)


def _add_nan_of_exog(graph: Graph, exog: str, lengths: str, h: int) -> str:
    """Return NaN for series whose exog (n, T + h, K) is not finite; 0 for others."""
    lengths = graph.add("Add", lengths, graph.constant(h))
    valid = add_mask(graph, exog, lengths, axis=1)
    exog = graph.add("Where", valid, exog, graph.constant(0.0))
    return add_nan_of_numbers(graph, exog, 1, 2)


def _add_states(graph: Graph, baseline: BaselineReader, x: str) -> list[str]:
    """Add the state of the baseline before the first step of each series."""
    n_rows = graph.size(x, 0)
    if baseline.rows_per_series > 1:
        count = graph.constant([baseline.rows_per_series])
        n_rows = graph.add("Mul", n_rows, count)
    states = []
    for part in baseline.begin(1).values():
        shape = graph.constant(np.array(part.shape[1:], dtype=np.int64))
        shape = graph.add("Concat", n_rows, shape, axis=0)
        states.append(graph.add("Expand", graph.constant(part[:1]), shape))
    return states


def _add_scan(
    graph: Graph, baseline: BaselineReader, before: list[str], series: list[str]
) -> list[str]:
    """Add a loop over the steps; return the last states and the features."""
    C = len(baseline.fill)
    state = tuple(baseline.begin(3).values())
    example = (state, baseline.fill.new_ones(3, C), torch.ones(3, dtype=torch.bool))
    body = convert_module(BaselineStep(baseline), example)
    body = graph.onnx.compose.add_prefix_graph(body, "step_")
    return graph.add_several(
        "Scan",
        len(before) + 1,
        *before,
        *series,
        body=body,
        num_scan_inputs=len(series),
    )


def _add_decoder(
    graph: Graph, module: StandardForecaster, state: list[str], last: str
) -> str:
    """Add the conversion of outputs to forecasts."""
    baseline, (h, C, Q) = module.baseline, module.shape
    example = tuple(baseline.begin(3).values()), baseline.fill.new_ones(3, h * C * Q)
    decoder = convert_module(BlockDecoder(module), example)
    decoder = graph.onnx.compose.add_prefix_graph(decoder, "block_")
    for given, value in zip(decoder.input, [*state, last], strict=True):
        graph.nodes.append(
            graph.onnx.helper.make_node("Identity", [value], [given.name])
        )
    graph.nodes.extend(decoder.node)
    graph.constants.extend(decoder.initializer)
    return decoder.output[0].name


def _add_exog(graph: Graph, module: StandardForecaster, exog: str) -> str:
    """Return the variables (T, n, h * K) of the h steps after each step."""
    exog = graph.add("Sub", exog, graph.constant(module.exog_mean))
    exog = graph.add("Div", exog, graph.constant(module.exog_scale))
    exog = graph.transpose(exog, 1, 0, 2)
    h = module.shape[0]
    n_steps = graph.add("Sub", graph.size(exog, 0), graph.constant([h]))
    ahead = []
    for k in range(1, h + 1):
        end = graph.add("Add", n_steps, graph.constant([k]))
        ahead.append(
            graph.add("Slice", exog, graph.constant([k]), end, graph.constant([0]))
        )
    return graph.add("Concat", *ahead, axis=2)


def convert_module(module: nn.Module, example: tuple[Any, ...]) -> Any:
    """Convert a module, for any number of rows, to a graph by torch.onnx."""
    import_onnx("onnxscript")
    free = {0: torch.export.Dim.AUTO}
    axes = [
        tuple(free for _ in part) if isinstance(part, tuple) else free
        for part in example
    ]
    with silence_torch(), torch.no_grad():
        program = torch.onnx.export(
            module.eval(),
            example,
            dynamic_shapes=tuple(axes),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto.graph


@contextmanager
def silence_torch() -> Iterator[None]:
    """Suppress warnings and logs of torch.onnx, which concern torch itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
