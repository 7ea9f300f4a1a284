"""Associative memories: letters, capacity against theory, and speed of recall.

``--jobs letters bits capacity perceptron recovery magnetization speed`` selects parts.
The speed is compared with loops in numpy, written from the equations: one row and one
unit at a time.
"""

import argparse
import warnings

import numpy as np
from _common import environment, interleaved
from _results import Table
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.datasets import load_letters
from sklearn_rnn.energy import (
    CapacityWarning,
    capacity_curve,
    hebb_bit_error,
    hebb_overlap,
)

RULES = ["hebb", "storkey", "pseudo_inverse", "perceptron", "dense"]


def letters(names):
    data, target = load_letters(return_X_y=True)
    return data[[list(target).index(name) for name in names]].astype(float)


def with_coin_flips(patterns, rng):
    """Letters whose lower half is replaced by random pixels."""
    noisy = patterns.copy()
    noisy[:, 32:] = rng.integers(0, 2, (len(patterns), 32))
    return noisy


def with_flips(patterns, n_flips, n_draws, rng):
    """Patterns of -1 and 1 with exactly n_flips units flipped, and their indices."""
    index = rng.integers(len(patterns), size=n_draws)
    signs = np.ones((n_draws, patterns.shape[1]))
    signs[:, :n_flips] = -1
    return patterns[index] * rng.permuted(signs, axis=1), index


def share_recalled(memory, noisy, wanted):
    return (memory.transform(noisy) == wanted).all(axis=1).mean()


def bench_letters():
    rng = np.random.default_rng(0)
    names = list("JLMQT")
    patterns = letters(names)
    noisy = with_coin_flips(np.repeat(patterns, 200, axis=0), rng)
    X, y = np.vstack([patterns, noisy]), np.r_[names, np.repeat(names, 200)]
    fold = np.r_[np.full(5, -1), np.zeros(len(noisy), int)]
    search = GridSearchCV(
        HopfieldDenoiser(random_state=0),
        {"rule": RULES},
        cv=PredefinedSplit(fold),
        refit=False,
    ).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    print("\nJ L M Q T stored, bottom four rows are coin flips")
    Table(__file__, "choice", "letters").add(
        letters="J L M Q T", **dict(zip(RULES, scores.tolist(), strict=True))
    )
    memory = HopfieldDenoiser(**search.best_params_, random_state=0).fit(patterns)
    wanted = np.repeat(patterns[4:], 100, axis=0)
    test = with_coin_flips(wanted, rng)
    nearest = KNeighborsClassifier(1).fit(patterns, names).predict(test)
    Table(__file__, "letter_t", "rule").add(
        rule=search.best_params_["rule"],
        recalled=share_recalled(memory, test, wanted),
        nearest_pattern=(nearest == "T").mean(),
    )
    table = Table(__file__, "recalled", "patterns")
    for some in ("IKQ", "DIQX", "JLMQT"):
        patterns = 2 * letters(some) - 1
        test, index = with_flips(patterns, 6, 1000, rng)
        shares = {
            rule: share_recalled(
                HopfieldDenoiser(rule, random_state=0).fit(patterns),
                test,
                patterns[index],
            )
            for rule in RULES
        }
        name = f"letters {' '.join(some)}, 6 of 64 bits flipped"
        table.add(patterns=name, **shares)


def bit_errors(load, n_units, n_sets, rng):
    """Share of wrong bits after one update, for each of the sets of patterns."""
    errors = []
    for _ in range(n_sets):
        patterns = rng.choice([-1.0, 1.0], (round(load * n_units), n_units))
        memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(patterns)
        errors.append((memory.recall(patterns).patterns != patterns).mean())
    return errors


def bench_bits(n_units=1000, n_sets=30):
    rng = np.random.default_rng(0)
    table = Table(__file__, "bit_error", "load")
    for load in (0.05, 0.1, 0.138, 0.2, 0.3):
        errors = bit_errors(load, n_units, n_sets, rng)
        spread = np.std(errors, ddof=1) / np.sqrt(n_sets)
        # load without the pattern and the unit themselves
        theory = hebb_bit_error((round(load * n_units) - 1) / (n_units - 1))
        table.add(
            load=load, measured=np.mean(errors), standard_error=spread, theory=theory
        )


def bench_capacity(n_units=2000):
    print(f"\nlargest load with overlap > .95, {n_units} units, start at the pattern")
    table = Table(__file__, "capacity", "rule")
    scans = {
        "hebb": np.arange(0.12, 0.16, 0.002),
        "storkey": np.arange(0.14, 0.5, 0.02),
        "pseudo_inverse": np.array([0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0]),
        "dense": np.array([1.0, 5.0, 10.0]),
    }
    for rule, loads in scans.items():
        best, overlaps = 0.0, []
        for load in loads:
            curve = capacity_curve(
                HopfieldDenoiser(rule, random_state=0),
                n_features=n_units,
                loads=[load],
                n_repeats=3 if rule == "hebb" else 1,
                random_state=round(1000 * load),
            )
            overlaps.append(float(curve.overlaps.mean()))
            if overlaps[-1] <= 0.95:
                break
            best = load
        beyond = loads[len(overlaps) - 1] if overlaps[-1] <= 0.95 else None
        table.add(rule=rule, load=best, next_load=beyond, overlap_there=overlaps[-1])
    theory = np.arange(0.13, 0.15, 0.0001)
    best = theory[hebb_overlap(theory) > 0.95].max()
    table.add(rule="hebb, theory", load=best, next_load=None, overlap_there=None)


def reaches_margin(n_patterns, n_units, margin, rng):
    """Whether the perceptron rule stores new random patterns with this margin."""
    patterns = rng.choice([-1.0, 1.0], (n_patterns, n_units))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            HopfieldDenoiser("perceptron", margin=margin).fit(patterns)
        except ConvergenceWarning:
            return False
    return True


def bench_perceptron(n_draws=6):
    """Load up to which the margin is reached, and Gardner's theoretical capacity."""
    rng = np.random.default_rng(0)
    table = Table(__file__, "perceptron", "n_units", "margin")
    for n_units in (50, 100, 200):
        for margin in (0.0, 0.5, 1.0, 2.0):
            second_moment = (1 + margin**2) * norm.cdf(margin)
            gardner = 1 / (second_moment + margin * norm.pdf(margin))
            best = 0
            for ratio in np.arange(0.4, 1, 0.04):
                count = max(2, round(ratio * gardner * n_units))
                reached = [
                    reaches_margin(count, n_units, margin, rng) for _ in range(n_draws)
                ]
                if 2 * sum(reached) < n_draws:
                    break
                best = count / n_units
            table.add(
                n_units=n_units,
                margin=margin,
                load=best,
                gardner=gardner,
                share=best / gardner,
            )


def bench_recovery(n_sets=100, n_draws=50):
    rng = np.random.default_rng(0)
    table = Table(__file__, "recalled", "patterns")
    for n_patterns in (7, 13, 19, 25):
        shares = {rule: [] for rule in RULES}
        for seed in range(n_sets):
            patterns = rng.choice([-1.0, 1.0], (n_patterns, 100))
            test, index = with_flips(patterns, 15, n_draws, rng)
            for rule in RULES:
                memory = HopfieldDenoiser(rule, random_state=seed).fit(patterns)
                shares[rule].append(share_recalled(memory, test, patterns[index]))
        table.add(
            patterns=f"{n_patterns} of 100 units, 15 flipped",
            **{rule: np.mean(shares[rule]) for rule in RULES},
        )


def bench_magnetization(n_units=1000, n_rows=50):
    """Overlap with a stored pattern in thermal equilibrium, and m = tanh(m / T)."""
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (2, n_units))
    start = np.repeat(patterns[:1], n_rows, axis=0)
    table = Table(__file__, "magnetization", "temperature")
    for temperature in (0.2, 0.4, 0.6, 0.8, 0.9, 1.2):
        memory = HopfieldDenoiser(
            temperature=np.full(50, temperature), random_state=0
        ).fit(patterns)
        states = memory.recall(start, quench=False).patterns
        overlaps = (states * patterns[0]).mean(axis=1)
        theory = 1.0
        for _ in range(1000):
            theory = np.tanh(theory / temperature)
        error = overlaps.std(ddof=1) / np.sqrt(n_rows)
        table.add(
            temperature=temperature,
            measured=overlaps.mean(),
            standard_error=error,
            theory=theory,
        )


def loop(weights, start):
    """Asynchronous recall as a loop in numpy."""
    recalled = start.copy()
    for state in recalled:
        changed = True
        while changed:
            changed = False
            for i in range(len(state)):
                new = 1 if weights[i] @ state >= 0 else -1
                if new != state[i]:
                    state[i], changed = new, True
    return recalled


def bench_speed(n_units=784, n_rows=1000):
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (40, n_units))
    test = patterns[rng.integers(40, size=n_rows)]
    test = test * np.where(rng.random(test.shape) < 0.1, -1, 1)
    table = Table(__file__, "speed", "rule")
    for rule in ("hebb", "storkey", "pseudo_inverse"):
        memory = HopfieldDenoiser(rule, order="fixed").fit(patterns)
        results = {}

        def ours(memory=memory, results=results):
            results["ours"] = memory.transform(test)

        def theirs(memory=memory, results=results):
            results["loop"] = loop(memory.weights_, test)

        seconds = interleaved(3, ours=ours, loop=theirs)
        same = np.array_equal(results["ours"], results["loop"])
        fields = [results[name] @ memory.weights_ for name in ("ours", "loop")]
        apart = np.abs(fields[0] - fields[1]).max()
        table.add(
            rule=rule,
            **seconds,
            ratio=seconds["ours"] / seconds["loop"],
            same_bits=same,
            largest_difference=apart,
        )
    bench_products(patterns, test)
    # noise, so that no row becomes stable within ten sweeps
    memory = HopfieldDenoiser(update="synchronous", max_iter=10).fit(patterns)
    start = rng.choice([-1.0, 1.0], (n_rows, n_units)).astype(np.float32)
    weights = memory.weights_.astype(np.float32)
    states = np.ascontiguousarray(start.T)

    def products():
        for _ in range(10):
            weights @ states

    seconds = interleaved(9, sgemm=products, recall=lambda: memory.recall(start))
    rate = 20 * n_units**2 * n_rows / seconds["sgemm"] / 1e9
    Table(__file__, "synchronous", "n_units").add(
        n_units=n_units,
        **seconds,
        gflops=rate,
        share=seconds["sgemm"] / seconds["recall"],
    )


def bench_products(patterns, test):
    """Asynchronous recall against one product of the weights and the states."""
    table = Table(__file__, "asynchronous", "rule")
    for rule in ("hebb", "storkey", "pseudo_inverse"):
        memory = HopfieldDenoiser(rule, random_state=0).fit(patterns)
        # Hebb's weights are integers, with which recall computes in float32
        dtype = np.float32 if rule == "hebb" else np.float64
        weights = memory.weights_.astype(dtype)
        states = np.ascontiguousarray(test.T.astype(dtype))
        seconds = interleaved(
            9,
            product=lambda weights=weights, states=states: weights @ states,
            recall=lambda memory=memory: memory.transform(test),
        )
        table.add(
            rule=rule,
            dtype=np.dtype(dtype).name,
            sweeps=int(memory.recall(test).n_iter.max()),
            **seconds,
            ratio=seconds["recall"] / seconds["product"],
        )


JOBS = {
    "letters": bench_letters,
    "bits": bench_bits,
    "recovery": bench_recovery,
    "magnetization": bench_magnetization,
    "speed": bench_speed,
    "perceptron": bench_perceptron,
    "capacity": bench_capacity,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    jobs = parser.parse_known_args()[0].jobs
    warnings.simplefilter("ignore", CapacityWarning)
    print(environment())
    for job in jobs:
        JOBS[job]()


if __name__ == "__main__":
    main()
