"""Associative memories: letters, capacity against theory, and speed of recall.

``--jobs letters bits capacity perceptron recovery magnetisation speed`` picks parts.
The loops beside them are what one writes in numpy from the equations: one row and one
unit at a time.
"""

import argparse
import warnings

import numpy as np
from _common import environment, interleaved
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
    """The bottom four of eight rows of pixels replaced."""
    noisy = patterns.copy()
    noisy[:, 32:] = rng.integers(0, 2, (len(patterns), 32))
    return noisy


def with_flips(patterns, n_flips, n_draws, rng):
    """Patterns of -1 and 1 with exactly n_flips units turned over, and which."""
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
    print(
        "validation, share named right:",
        dict(zip(RULES, scores.round(3).tolist(), strict=True)),
    )
    memory = HopfieldDenoiser(**search.best_params_, random_state=0).fit(patterns)
    wanted = np.repeat(patterns[4:], 100, axis=0)
    test = with_coin_flips(wanted, rng)
    nearest = KNeighborsClassifier(1).fit(patterns, names).predict(test)
    print(
        f"'T', rule {search.best_params_['rule']}: "
        f"{share_recalled(memory, test, wanted):.0%} of 100 recalled exactly; nearest "
        f"stored pattern: {(nearest == 'T').mean():.0%}"
    )
    print("\nletters, 6 of 64 bits flipped, 1,000 draws, recalled exactly")
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
        print(
            f"{' '.join(some):10}", {k: round(float(v), 3) for k, v in shares.items()}
        )


def bench_bits(n_units=1000, n_sets=30):
    rng = np.random.default_rng(0)
    print(f"\none-step bit error, {n_units} units, {n_sets} sets of patterns")
    print(" load  measured  standard error    theory")
    for load in (0.05, 0.1, 0.138, 0.2, 0.3):
        errors = []
        for _ in range(n_sets):
            patterns = rng.choice([-1.0, 1.0], (round(load * n_units), n_units))
            memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(patterns)
            errors.append((memory.recall(patterns).patterns != patterns).mean())
        spread = np.std(errors, ddof=1) / np.sqrt(n_sets)
        # the other patterns over the other units
        theory = hebb_bit_error((round(load * n_units) - 1) / (n_units - 1))
        print(f"{load:5}  {np.mean(errors):8.6f}  {spread:14.6f}  {theory:8.6f}")


def bench_capacity(n_units=2000):
    print(f"\nlargest load with overlap > .95, {n_units} units, start at the pattern")
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
        pairs = list(zip(loads, overlaps, strict=False))[-3:]
        tail = ", ".join(f"{x:.3f}: {m:.3f}" for x, m in pairs)
        print(f"{rule:15} {best:6.3f}   (load: overlap {tail})", flush=True)
    theory = np.arange(0.13, 0.15, 0.0001)
    print(f"theory of hebb  {theory[hebb_overlap(theory) > 0.95].max():.4f}")


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
    """Load up to which the margin is reached, against Gardner's for free weights."""
    rng = np.random.default_rng(0)
    print(f"\nperceptron rule, patterns per unit, reached in half of {n_draws} draws")
    print("units  margin   load  Gardner  ratio")
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
            print(
                f"{n_units:5}  {margin:6}  {best:5.2f}  {gardner:7.2f}  "
                f"{best / gardner:5.2f}",
                flush=True,
            )


def bench_recovery(n_sets=100, n_draws=50):
    rng = np.random.default_rng(0)
    print("\n100 units, 15 flipped, asynchronous, recovered exactly")
    print("patterns ", *(f"{rule:>15}" for rule in RULES))
    for n_patterns in (7, 13, 19, 25):
        shares = {rule: [] for rule in RULES}
        for seed in range(n_sets):
            patterns = rng.choice([-1.0, 1.0], (n_patterns, 100))
            test, index = with_flips(patterns, 15, n_draws, rng)
            for rule in RULES:
                memory = HopfieldDenoiser(rule, random_state=seed).fit(patterns)
                shares[rule].append(share_recalled(memory, test, patterns[index]))
        print(f"{n_patterns:9}", *(f"{np.mean(shares[rule]):15.3f}" for rule in RULES))


def bench_magnetisation(n_units=1000, n_rows=50):
    """Overlap with a stored pattern in thermal equilibrium, against m = tanh(m / T)."""
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (2, n_units))
    start = np.repeat(patterns[:1], n_rows, axis=0)
    print(f"\nmagnetisation, {n_units} units, 2 patterns, {n_rows} copies, 50 sweeps")
    print("    T  measured  standard error    theory")
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
        print(f"{temperature:5}  {overlaps.mean():8.4f}  {error:14.4f}  {theory:8.4f}")


def loop(weights, start):
    """Asynchronous recall as one writes it."""
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
    print(f"\nrecall of {n_rows} rows of {n_units} units, a tenth of them flipped")
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
        ratio = seconds["loop"] / seconds["ours"]
        print(
            f"{rule:15} loop {seconds['loop']:.2f} s, transform "
            f"{seconds['ours'] * 1e3:.1f} ms: {ratio:.0f}x; same bits: {same}, "
            f"fields differ by {apart}"
        )
    # from noise, so that no row comes to rest within ten sweeps
    memory = HopfieldDenoiser(update="synchronous", max_iter=10).fit(patterns)
    start = rng.choice([-1.0, 1.0], (n_rows, n_units)).astype(np.float32)
    weights = memory.weights_.astype(np.float32)
    states = np.ascontiguousarray(start.T)

    def products():
        for _ in range(10):
            weights @ states

    seconds = interleaved(9, sgemm=products, recall=lambda: memory.recall(start))
    rate = 20 * n_units**2 * n_rows / seconds["sgemm"] / 1e9
    print(
        f"synchronous, 10 sweeps: {seconds['recall'] * 1e3:.0f} ms, ten sgemm of the "
        f"same shape {seconds['sgemm'] * 1e3:.0f} ms ({rate:.0f} GFLOP/s): "
        f"{seconds['sgemm'] / seconds['recall']:.0%} of that rate"
    )


JOBS = {
    "letters": bench_letters,
    "bits": bench_bits,
    "recovery": bench_recovery,
    "magnetisation": bench_magnetisation,
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
