"""Traces equal what networks compute, and terms equal the equations of the cells."""

import re

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import expit
from small_networks import UsersGRU, make_network, normal, private

from sklearn_rnn._nn.builders import build_language_network, build_network
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.tracing import trace_network

KNOWN = [name for name, layer in CELLS.items() if layer.gate_names]
KINDS = [*((name, "tanh") for name in KNOWN), ("rnn", "relu")]
each_kind = pytest.mark.parametrize("cell, activation", KINDS)


def evaluate(equations, terms):
    """Compute the left side of each equation of LaTeX from the terms on the right."""
    for equation in equations.strip().split(r"\\"):
        left, right = (side.strip() for side in equation.split("&="))
        names = [name for name in terms if name != left]
        for name in sorted(names, key=len, reverse=True):
            right = right.replace(name, f" T[{names.index(name)}] ")
        for before, after in {
            r"\sigma": "expit",
            r"\tanh": "np.tanh",
            r"\operatorname{ReLU}": "relu",
            r"\odot": "*",
        }.items():
            right = right.replace(before, after)
        assert not re.search(r"[\\_{}]", right), right
        scope = {"expit": expit, "np": np, "relu": lambda a: np.maximum(a, 0)}
        yield left, eval(right, {**scope, "T": [terms[name] for name in names]})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "num_layers": 2}])
@each_kind
def test_steps_equal_the_network_and_the_equations(cell, activation, options, dtype):
    module = make_network(cell, activation=activation, dtype=dtype, **options).eval()
    x = normal(9, 3, dtype=dtype)
    with torch.inference_mode():
        outputs, _ = module.stack(x.unsqueeze(1))
    traces = trace_network(module, x.numpy())
    top = [trace for trace in traces if trace.level == options.get("num_layers", 1) - 1]
    found = np.concatenate([trace.after["hidden"] for trace in top], axis=1)
    assert_allclose(found, outputs[:, 0], atol=1e-6, rtol=0)
    for trace in traces:
        terms = trace.list_terms(slice(None))
        after = {"h_t": trace.after["hidden"], "c_t": trace.after.get("cell")}
        computed = dict(evaluate(trace.layer.write_equations(), terms))
        assert computed.keys() == {n for n in terms if re.fullmatch(r"\w_t", n)}
        for name, values in computed.items():
            assert_allclose(values, terms[name], atol=1e-14, rtol=0)
            if name in after:
                assert_allclose(values, after[name], atol=1e-6, rtol=0)


def test_states_before_a_step_are_those_after_the_step_read_before_it():
    module = make_network("lstm", bidirectional=True).eval()
    forward, backward = trace_network(module, normal(5, 3).numpy())
    for name in ("hidden", "cell"):
        assert_allclose(forward.before[name][1:], forward.after[name][:-1])
        assert_allclose(backward.before[name][:-1], backward.after[name][1:])
        assert not forward.before[name][0].any()
        assert not backward.before[name][-1].any()


@pytest.mark.parametrize("embedding", ["onehot", 3])
@pytest.mark.parametrize("cell", KNOWN)
def test_codes_are_traced(cell, embedding):
    module = build_language_network(
        cell, 7, 4, generator=private(), embedding=embedding
    ).eval()
    codes = torch.tensor([2, 4, 6, 5, 4])
    with torch.inference_mode():
        outputs, _ = module.read(codes.unsqueeze(1))
    (trace,) = trace_network(module, codes.numpy())
    terms = trace.list_terms(slice(None))
    assert_allclose(terms["h_t"], outputs[:, 0], atol=1e-6, rtol=0)


def test_bfloat16_has_two_digits():
    module = make_network(
        "lstm", dtype=torch.float32, compute_dtype=torch.bfloat16, num_layers=2
    ).eval()
    for trace in trace_network(module, normal(9, 3, dtype=torch.float32).numpy()):
        terms = trace.list_terms(slice(None))
        assert_allclose(terms["h_t"], trace.after["hidden"], atol=1e-2, rtol=0)


def test_a_users_cell_has_outputs_but_no_equations():
    module = build_network(UsersGRU, 3, 4, 2, generator=private()).eval()
    x = normal(9, 3, dtype=torch.float32)
    with torch.inference_mode():
        outputs, _ = module.stack(x.unsqueeze(1))
    (trace,) = trace_network(module, x.numpy())
    assert_allclose(trace.after["hidden"], outputs[:, 0])
    with pytest.raises(TypeError, match="equations are not known"):
        trace.list_terms(slice(None))


def test_states_of_a_cell_without_its_own_method_are_computed_step_by_step():
    layer = make_network("lstm").stack.layers[0][0]
    x = normal(6, 2, 3)
    generic = super(type(layer), layer).trace_states(x)
    for part, expected in zip(generic, layer.trace_states(x), strict=True):
        assert_allclose(part.detach(), expected.detach(), atol=1e-12)


def test_one_step_is_read_backwards():
    module = make_network("lstm", bidirectional=True, num_layers=2).eval()
    traces = trace_network(module, np.ones((1, 3), dtype=np.float32))
    assert [trace.after["hidden"].shape[0] for trace in traces] == [1] * 4


def test_the_default_device_of_the_user_is_ignored():
    module, x = make_network("lstm").eval(), np.ones((2, 3), dtype=np.float32)
    with torch.device("meta"):
        (trace,) = trace_network(module, x)
    assert np.isfinite(trace.after["hidden"]).all()
