"""Explanations: exact steps, completeness gaps, and planted steps that are found.

``--jobs steps planted`` selects parts. In each of the planted tasks, one step of a
sequence decides what the network has to predict, at a random place. A method finds it
if that step has the largest sum of the absolute attributions of its features. For
comparison, ``found_by_sum`` takes the absolute value of their sum: where the prediction
equals that for the baseline, completeness makes the attributions of features cancel.
Captum's integrated gradients, with its 50 evaluations per sequence, and gradient times
input explain the same network.
"""

import argparse
import itertools
import warnings

import numpy as np
import torch
from _common import environment
from _results import Table
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor
from sklearn_rnn.inspection import attribute, explain_step

CELLS = ("rnn", "lstm", "gru")
N_CASES, N_TRAIN, N_STEPS = 200, 3000, 30


def bench_steps():
    """Largest difference between explained states and those of the network."""
    table = Table(__file__, "steps", "cell", "precision", "input")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 50, 3))
    y = X[:, 0, 0] > 0
    tokens = CharVectorizer().fit_transform(
        ["".join(rng.choice(list("abcd"), size=50)) for _ in range(40)]
    )
    inputs = {
        "numbers": (X, {}),
        "table": (X.reshape(40, -1), {"input_size": 3}),
        "embedding": (tokens, {}),
        "onehot": (tokens, {"embedding": "onehot"}),
    }
    for cell, precision, name in itertools.product(
        CELLS, ("float32", "float64"), inputs
    ):
        data, params = inputs[name]
        model = RNNClassifier(
            cell,
            32,
            num_layers=2,
            bidirectional=True,
            max_epochs=5,
            precision=precision,
            random_state=0,
            **params,
        ).fit(data, y)
        states = model.transform_sequences(data[:5])
        errors = [
            np.abs(top_states(explain_step(model, data[i : i + 1], t)) - states[i][t])
            for i in range(5)
            for t in range(50)
        ]
        table.add(
            cell=cell,
            precision=precision,
            input=name,
            layers=2,
            directions=2,
            largest_error=float(np.max(errors)),
        )


def top_states(explanation):
    """Explained states of the last layer, forward direction first."""
    states = explanation.frame["h_t"][1]
    return np.concatenate([states["forward"], states["backward"]])


def make_spikes(n, rng):
    """Noise with one large value up or down, or none; the class says which."""
    X = 0.3 * rng.normal(size=(n, N_STEPS, 1))
    y, places = (
        rng.choice(["down", "none", "up"], size=n),
        rng.integers(N_STEPS, size=n),
    )
    X[np.arange(n), places, 0] += 2.0 * (y == "up") - 2.0 * (y == "down")
    return X, y, places, y != "none"


def make_marked(n, rng):
    """Random numbers of which one is marked; y is this number."""
    X = rng.uniform(-1, 1, size=(n, N_STEPS, 2))
    X[..., 1], places = 0, rng.integers(N_STEPS, size=n)
    rows = np.arange(n)
    X[rows, places, 1] = 1
    X[rows, places, 0] = rng.choice([-1, 1], n) * rng.uniform(0.5, 1, n)
    return X, X[rows, places, 0], places, np.ones(n, dtype=bool)


def make_letters(n, rng):
    """Random letters of which at most one is x or y; the class says which."""
    letters = rng.choice(list("abcdef"), size=(n, N_STEPS))
    y, places = rng.choice(["x", "y", "none"], size=n), rng.integers(N_STEPS, size=n)
    chosen = y != "none"
    letters[np.flatnonzero(chosen), places[chosen]] = y[chosen]
    return ["".join(row) for row in letters], y, places, chosen


TASKS = {"spike": make_spikes, "marked number": make_marked, "letter": make_letters}


def bench_planted():
    table = Table(__file__, "planted", "task", "cell", "method")
    for (task, make), cell in itertools.product(TASKS.items(), CELLS):
        rng = np.random.default_rng(0)
        X, y, *_ = make(N_TRAIN, rng)
        model = (RNNRegressor if task == "marked number" else RNNClassifier)(
            cell, 32, random_state=0
        )
        if task == "letter":
            model = make_pipeline(CharVectorizer(), model)
        model.fit(X, y)
        X, y, places, decided = make(3 * N_CASES, rng)
        rows = np.flatnonzero(decided)[:N_CASES]
        X, places = [X[i] for i in rows], places[rows]
        score = model.score(X, y[rows])
        for method, (attributions, gap) in explain(model, X).items():
            table.add(
                task=task,
                cell=cell,
                method=method,
                score=float(score),
                found=float(np.mean(find_strongest(attributions) == places)),
                found_by_sum=float(np.mean(find_strongest_sum(attributions) == places)),
                mean_gap=None if gap is None else float(np.mean(gap)),
                largest_gap=None if gap is None else float(np.max(gap)),
            )


def explain(model, X):
    """Attributions (T, F) of all sequences by each method, and its gaps."""
    ours = attribute(model, X)
    occluded = attribute(model, X, method="occlusion")
    return {
        "integrated gradients": (as_columns(ours.attributions), ours.gap),
        "occlusion": (as_columns(occluded.attributions), None),
        **explain_with_captum(model, X, ours),
    }


def as_columns(attributions):
    """Attributions (T, F), with one column for tokens and occlusion."""
    return [one.reshape(len(one), -1) for one in attributions]


def find_strongest(attributions):
    """The step of each sequence with the largest sum of absolute attributions."""
    return np.array([np.abs(one).sum(axis=1).argmax() for one in attributions])


def find_strongest_sum(attributions):
    """The step of each sequence with the largest absolute sum of attributions."""
    return np.array([np.abs(one.sum(axis=1)).argmax() for one in attributions])


def explain_with_captum(model, X, ours):
    """Attributions of captum, to the same output and with the same baseline."""
    from captum.attr import InputXGradient, IntegratedGradients
    from captum.attr import LayerIntegratedGradients as LayerIG

    last = model[-1] if hasattr(model, "steps") else model
    network = last.to_torch()
    names = getattr(last, "classes_", np.array([0])).tolist()
    targets = torch.tensor([names.index(target) for target in ours.targets])

    def score(x):
        logits = network.logits(x)
        if not hasattr(last, "classes_"):
            return logits[:, 0]
        columns = targets.repeat(len(x) // len(targets))
        chosen = logits.gather(1, columns[:, None])[:, 0]
        others = logits.scatter(1, columns[:, None], -torch.inf)
        return chosen - torch.logsumexp(others, 1)

    if hasattr(model, "steps"):
        codes = torch.from_numpy(np.asarray(model[0].transform(X))).long()
        explained, gap = LayerIG(score, network.embedding).attribute(
            codes, torch.ones_like(codes), return_convergence_delta=True
        )
        by_token = explained.sum(2, keepdim=True).detach().numpy()
        return {"captum": (by_token, gap.abs().numpy())}
    x = torch.from_numpy(np.array(X))
    baseline = torch.from_numpy(last._inputs.scaling.mean).expand_as(x)
    explained, gap = IntegratedGradients(score).attribute(
        x, baseline, return_convergence_delta=True
    )
    saliency = InputXGradient(score).attribute(x.clone().requires_grad_())
    return {
        "captum": (explained.detach().numpy(), gap.detach().abs().numpy()),
        "gradient x input": (saliency.detach().numpy(), None),
    }


JOBS = {"steps": bench_steps, "planted": bench_planted}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", UserWarning)  # captum
    print(environment())
    for job in parser.parse_known_args()[0].jobs:
        JOBS[job]()
