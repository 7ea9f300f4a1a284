"""Reference implementation of the recurrent cells, one sequence and step at a time.

``x`` is (T, F); the weights of the gates are stacked. Each cell returns its
outputs (T, H) and the parts of its last state.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def simple(x, weight_ih, weight_hh, bias, *, state, activation):
    (h,), hidden = state, []
    f = np.tanh if activation == "tanh" else lambda a: np.maximum(a, 0)
    for x_t in x:
        h = f(weight_ih @ x_t + weight_hh @ h + bias)
        hidden.append(h)
    return np.array(hidden), [h]


def lstm(x, weight_ih, weight_hh, bias, *, state, activation):
    (h, c), hidden = state, []
    for x_t in x:
        i, f, g, o = np.split(weight_ih @ x_t + weight_hh @ h + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hidden.append(h)
    return np.array(hidden), [h, c]


def gru(x, weight_ih, weight_hh, bias, bias_n, *, state, activation):
    W_r, W_z, W_n = np.split(weight_ih, 3)
    U_r, U_z, U_n = np.split(weight_hh, 3)
    b_r, b_z, b_x = np.split(bias, 3)
    (h,), hidden = state, []
    for x_t in x:
        r = sigmoid(W_r @ x_t + U_r @ h + b_r)
        z = sigmoid(W_z @ x_t + U_z @ h + b_z)
        n = np.tanh(W_n @ x_t + b_x + r * (U_n @ h + bias_n))
        h = (1 - z) * n + z * h
        hidden.append(h)
    return np.array(hidden), [h]


REFERENCES = {"rnn": simple, "lstm": lstm, "gru": gru}


def read_sequence(layer, x, state=None):
    """Compute the outputs of a layer for one sequence, from a state or from zeros."""
    weights = {
        name: p.detach().double().numpy() for name, p in layer.named_parameters()
    }
    if layer.onehot:
        weights["weight_ih"] = weights["weight_ih"].T
    if state is None:
        state = [np.zeros(layer.hidden_size)] * len(layer.state_names)
    cell = REFERENCES[layer.name]
    return cell(x, **weights, state=state, activation=layer.activation)


def read_batch(layer, x, state=None):
    """Compute the outputs of a layer for x (T, B, F), sequence by sequence."""
    runs = []
    for j in range(x.shape[1]):
        start = None if state is None else [part[j].numpy() for part in state]
        runs.append(read_sequence(layer, x[:, j].double().numpy(), start))
    outputs = np.stack([run[0] for run in runs], 1)
    last = [np.stack(part) for part in zip(*(run[1] for run in runs), strict=True)]
    return outputs, last


def read_stack(stack, x):
    """Compute the outputs (T, H * directions) of a stack for one sequence x (T, F)."""
    for level in stack.layers:
        halves = [read_sequence(level[0], x)[0]]
        if len(level) == 2:
            halves.append(read_sequence(level[1], x[::-1])[0][::-1])
        x = np.concatenate(halves, 1)
    return x
