"""Sizes of errors of forecasts, and the intervals based on them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.forecasting._error_sizes import (
    count_independent,
    learn_sizes,
    measure_levels,
    measure_scales,
    shrink_levels,
    smooth_growth,
)

LEADS = np.arange(1, 41)


def learn(errors, owners=None, scales=None):
    owners = np.zeros(len(errors), dtype=int) if owners is None else owners
    scales = np.ones((1, errors.shape[2])) if scales is None else scales
    return learn_sizes(errors, owners, scales)


def errors_of_walks(rng, n_runs, n_steps, n_leads=None):
    """Errors of the naive forecast of random walks, and those of one more origin."""
    n_leads = n_leads or n_steps
    walks = rng.normal(size=(n_runs, n_steps + n_leads)).cumsum(axis=1)
    walks = np.pad(walks, ((0, 0), (1, 0)))
    places = np.arange(n_steps + 1)[:, None] + np.arange(1, n_leads + 1)
    errors = walks[:, places] - walks[:, : n_steps + 1, None]
    past = np.where(places[:-1] <= n_steps, errors[:, :-1], np.nan)
    return past, errors[:, -1]


# ---------------------------------------------------------------- independent errors


def test_errors_of_white_noise_are_all_independent():
    steps = np.array([50, 1, 0])[:, None] - np.zeros((3, 40))
    assert_array_equal(count_independent(np.ones(40), steps), steps)


@pytest.mark.parametrize("n", [7, 100])
def test_errors_of_a_random_walk_overlap(n):
    found = count_independent(np.sqrt(LEADS), np.full((1, 40), n))
    for k in (1, 10, 40):
        j = np.arange(1, min(k, n))
        expected = n / (1 + 2 * np.sum((1 - j / n) * (1 - j / k) ** 2))
        assert_allclose(found[0, k - 1], expected)
    assert found[0, 0] == n


def test_errors_of_an_autoregression_are_independent_after_some_steps():
    phi = 0.7
    law = np.sqrt(np.cumsum(phi ** (2 * np.arange(40))))
    found = count_independent(law, np.full((1, 40), 1e6))[0, -1] / 1e6
    assert_allclose(found, 1 / (1 + 2 * phi**2 / (1 - phi**2)), rtol=1e-3)


# ---------------------------------------------------------------- growth with the lead


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_powers_of_the_lead_are_laws(power):
    growth = 3.0 * LEADS**power
    known = LEADS < 30
    law = smooth_growth(np.where(known, growth, np.nan), known / LEADS)
    assert_allclose(law, growth)


def test_a_law_does_not_decrease():
    law = smooth_growth(1.0 / LEADS, 1 / LEADS)
    assert (law[20:] > 1 / LEADS[20:]).all()
    assert_array_equal(smooth_growth(np.full(4, np.nan), np.zeros(4)), np.ones(4))


# ---------------------------------------------------------------- sizes


def test_each_series_has_its_size():
    rng = np.random.default_rng(0)
    owners = np.repeat([0, 2], 300)
    scale = np.where(owners == 0, 1e-3, 1e6)[:, None, None]
    errors = scale * rng.normal(size=(600, 5, 2)) * [1, 10]
    scales = np.array([1e-3, 1.0, 1e6])[:, None] * [1, 10]  # no errors of the second
    found = learn(errors, owners, scales)
    assert found.errors.dtype == np.float32
    typical = np.sqrt(2 / np.pi)
    expected = np.broadcast_to(typical * scales[:, None], (3, 5, 2))
    assert_allclose(found.own.sizes, expected, rtol=0.15)
    assert_allclose(found.typical, typical, rtol=0.1)
    assert_allclose(np.abs(found.normalize(5)).mean(axis=(0, 1)), 1, rtol=0.02)
    radii = found.compute_radii(5, 0.9, found.own)
    expected = np.array([1.645, 2.92, 1.645])[:, None, None] * scales[:, None]
    assert_allclose(radii, np.broadcast_to(expected, (3, 5, 2)), rtol=0.2)


def test_levels_are_shrunk_towards_typical_ones():
    levels = np.array([[4.0], [4.0], [np.nan], [np.nan], [0.0]])
    counts = np.array([[99.0], [1.0], [0.0], [0.0], [5.0]])
    typical = np.array([[2.0], [2.0], [2.0], [0.0], [0.0]])
    found = shrink_levels(levels, counts, typical, np.array([7.0]))
    assert_allclose(found[:, 0], [4 - 2 / 199, 10 / 3, 2, 7, 0])


def test_sizes_of_other_series_are_proportional_to_their_level():
    rng = np.random.default_rng(0)
    found = learn(rng.normal(size=(500, 6, 1)))
    levels, counts = np.array([[8.0]]), np.array([[5.0]])
    other = found.estimate(levels, counts, np.zeros((1, 1)))
    assert_allclose(other.sizes[0], 8 * found.law)
    assert_array_equal(other.counts, np.full((1, 6, 1), 5))
    assert_array_equal(other.rows, [-1])
    unknown = found.estimate(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    assert_allclose(unknown.sizes, found.own.sizes, rtol=0.1)
    narrow = found.compute_radii(1, 0.9, found.own) / found.own.sizes[:, :1]
    wide = found.compute_radii(1, 0.9, other) / other.sizes[:, :1]
    assert_allclose(wide / narrow, 2.015 / 1.648, rtol=1e-3)  # Student's t of 5 and 500


def test_growth_with_the_lead_may_differ_between_series():
    rng = np.random.default_rng(0)
    n_leads = 40
    walks, _ = errors_of_walks(rng, 8, 90, n_leads)
    noise = np.where(
        np.isnan(walks),
        np.nan,
        rng.normal(size=(8, 90 + n_leads + 1))[
            :, np.arange(90)[:, None] + np.arange(1, n_leads + 1)
        ],
    )
    owners = np.repeat(np.arange(16), 90)
    both = np.concatenate([walks, noise]).reshape(-1, n_leads, 1)
    found = learn(both, owners, np.ones((16, 1)))
    sizes = found.own.sizes[..., 0]
    assert_allclose(sizes[:8, 29].mean(), 0.8 * np.sqrt(30), rtol=0.3)
    assert_allclose(sizes[8:, 29].mean(), 0.8, rtol=0.3)
    assert found.agreement[29, 0] < 5  # the common law has little weight
    alike = learn(both[:720], owners[:720], np.ones((8, 1)))
    assert alike.agreement[29, 0] > 20


def test_leads_without_errors_follow_the_law():
    errors, _ = errors_of_walks(np.random.default_rng(0), 1, 400, 20)
    errors[0, :, 12] = np.nan
    found = learn(errors[0][..., None])
    assert_allclose(found.own.sizes[0, 12], 0.8 * np.sqrt(13), rtol=0.2)
    assert found.n_leads == 20
    assert found.compute_radii(20, 0.9, found.own)[0, 12, 0] > 4
    errors[0, :, 15:] = np.nan
    assert learn(errors[0][..., None]).n_leads == 15


def test_a_channel_without_errors_has_no_leads():
    errors = np.ones((30, 4, 2))
    errors[..., 1] = np.nan
    found = learn(errors)
    assert found.n_leads == 0
    assert np.isfinite(found.own.sizes).all()


def test_perfect_forecasts_have_no_width():
    found = learn(np.zeros((30, 4, 1)), scales=np.zeros((1, 1)))
    assert_array_equal(found.compute_radii(4, 0.9, found.own), np.zeros((1, 4, 1)))
    errors = np.concatenate([np.zeros((30, 4, 1)), np.ones((30, 4, 1))])
    found = learn(errors, np.repeat([0, 1], 30), np.array([[0.0], [1.0]]))
    radii = found.compute_radii(4, 0.9, found.own)
    assert_array_equal(radii[0], np.zeros((4, 1)))
    assert_allclose(radii[1], np.ones((4, 1)), rtol=0.05)


def test_levels_of_blocks_and_scales_of_series():
    errors = np.array([[[1.0], [-4]], [[3], [np.nan]]])[:, None]  # (2, 1, 2, 1)
    levels, counts = measure_levels(errors, np.array([[1.0], [2]]))
    assert_array_equal(levels, [[2]])
    assert_array_equal(counts, [[2]])
    levels, counts = measure_levels(errors, np.array([[1.0]]))  # fewer leads
    assert_array_equal(levels, [[2]])
    assert_array_equal(counts, [[2]])
    scales = measure_scales(
        [np.array([[1.0], [3], [np.nan], [9], [5]]), np.ones((1, 1))]
    )
    assert_array_equal(scales, [[3], [0]])


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("coverage", "rank"), [(0.5, 5), (0.8, 8), (0.9, 9), (0.41, 5)]
)
def test_a_radius_is_the_split_conformal_quantile(coverage, rank):
    errors = np.array([3.0, -1, 4, -2, 5, -7, 6, 9, -8])[:, None, None]
    found = learn(errors)
    assert_allclose(found.compute_radii(1, coverage, found.own), [[[rank]]], rtol=1e-6)


def test_radii_belong_to_leads_and_channels():
    base = np.arange(1.0, 1000)
    errors = base[:, None, None] * [[1, 10], [2, 5]]
    found = learn(errors)
    radii = found.compute_radii(2, 0.5, found.own)
    assert_allclose(radii[0], [[500, 5000], [1000, 2500]], rtol=0.02)


def test_too_few_errors_for_a_coverage_raise_an_error():
    found = learn(np.ones((4, 2, 1)))
    with pytest.raises(ValueError, match=r"coverage=0.9 needs more than the 4 avail"):
        found.compute_radii(2, 0.9, found.own)


def test_far_leads_of_a_random_walk_are_covered():
    past, future = errors_of_walks(np.random.default_rng(0), 200, 90)
    covered, plain = [], []
    for errors, truth in zip(past, future, strict=True):
        found = learn(errors[..., None])
        radii = found.compute_radii(90, 0.9, found.own)[0, :, 0]
        covered.append(np.abs(truth) <= radii)
        known = np.abs(errors[:, 79][~np.isnan(errors[:, 79])])
        plain.append(abs(truth[79]) <= known.max())
    leads = np.array([1, 10, 40, 80, 88]) - 1
    shares = np.mean(covered, axis=0)[leads]
    assert ((shares > 0.85) & (shares < 0.97)).all(), shares
    assert np.mean(plain) < 0.7  # what errors that count as independent achieve
    assert found.counts[79, 0] < 3


def test_intervals_of_short_series_are_wider():
    rng = np.random.default_rng(0)
    n, n_own = 1000, 6
    scales = 10.0 ** rng.uniform(-3, 3, size=(n, 1))
    noise = scales * rng.choice([0.2, 1, 5], size=(n, 1))  # independent of the scale
    errors = noise[:, None, :] * rng.normal(size=(n, n_own, 1))
    owners = np.repeat(np.arange(n), n_own)
    found = learn(errors.reshape(-1, 1, 1), owners, scales)
    radii = found.compute_radii(1, 0.9, found.own)[:, 0]
    covered = np.abs(noise * rng.normal(size=(n, 1))) <= radii
    assert 0.88 < covered.mean() < 0.95
    for level in (0.2, 1, 5):
        group = np.isclose(noise / scales, level)
        assert 0.84 < covered[group].mean()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_errors_beyond_float32_stay_finite(rng):
    errors = rng.normal(size=(60, 5, 1))
    small, large = learn(errors), learn(errors * 1e100, scales=np.full((1, 1), 1e100))
    assert small.errors.dtype == np.float32
    assert_allclose(large.errors, errors * 1e100)
    assert_allclose(large.own.sizes, small.own.sizes.astype(float) * 1e100, rtol=1e-6)
