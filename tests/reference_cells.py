"""The recurrent cells from their equations: one sequence, one step after the other.

``x`` is (T, F); ``W``, ``U`` and ``b`` hold the gates below each other.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def simple(x, W, U, b, h, f=np.tanh):
    hidden = []
    for x_t in x:
        h = f(W @ x_t + U @ h + b)
        hidden.append(h)
    return np.array(hidden)


def lstm(x, W, U, b, h, c):
    hidden = []
    for x_t in x:
        i, f, g, o = np.split(W @ x_t + U @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hidden.append(h)
    return np.array(hidden), c


def gru(x, W, U, b, b_n, h):
    (W_r, W_z, W_n), (U_r, U_z, U_n) = np.split(W, 3), np.split(U, 3)
    b_r, b_z, b_x = np.split(b, 3)
    hidden = []
    for x_t in x:
        r = sigmoid(W_r @ x_t + U_r @ h + b_r)
        z = sigmoid(W_z @ x_t + U_z @ h + b_z)
        n = np.tanh(W_n @ x_t + b_x + r * (U_n @ h + b_n))
        h = (1 - z) * n + z * h
        hidden.append(h)
    return np.array(hidden)
