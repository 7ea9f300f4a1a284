"""Integrated gradients and occlusion of one sequence."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

POINTS = 4  # of Gauss-Legendre quadrature in each interval
FIRST_INTERVALS = 8
CANCELLATION = 30  # least sum of absolute gaps, relative to tol, that is too large
STEPS_AT_ONCE = 2**15  # time steps in one batch, which bounds its memory

Compute = Callable[[Tensor], Tensor]  # of a batch (B, T, E), one output each


class Interval(NamedTuple):
    """A part of the path from the baseline to the sequence."""

    start: float
    end: float
    gradient: Tensor  # (T, E), integrated over the interval
    gap: float  # between the integral and the difference of the outputs


def integrate_gradients(
    compute: Compute, x: Tensor, baseline: Tensor, tol: float, max_evaluations: int
) -> tuple[Tensor, int]:
    """Return integrated gradients (T, E), and the number of gradients computed.

    The gradients along a part of the path add up to the difference of the outputs at
    its ends. Parts in which they do not are halved, until the differences are below
    ``tol``, or more would exceed ``max_evaluations``.
    """
    edges = np.linspace(0, 1, FIRST_INTERVALS + 1)
    parts = list(itertools.pairwise(edges))
    intervals = evaluate_intervals(compute, x, baseline, parts)
    n_evaluations = POINTS * len(intervals)
    while n_evaluations + 2 * POINTS <= max_evaluations:
        gaps = np.array([interval.gap for interval in intervals])
        if abs(gaps.sum()) <= tol and np.abs(gaps).sum() <= CANCELLATION * tol:
            break
        gaps = np.abs(gaps)
        coarse = gaps > tol / len(gaps)
        n_affordable = (max_evaluations - n_evaluations) // (2 * POINTS)
        coarse[np.argsort(-gaps)[n_affordable:]] = False
        middles = [(i.start, (i.start + i.end) / 2, i.end) for i in intervals]
        halves = [
            half
            for is_coarse, (a, b, c) in zip(coarse, middles, strict=True)
            if is_coarse
            for half in ((a, b), (b, c))
        ]
        kept = [intervals[i] for i in np.flatnonzero(~coarse)]
        intervals = kept + evaluate_intervals(compute, x, baseline, halves)
        n_evaluations += POINTS * len(halves)
    intervals.sort()  # so that the sum does not depend on their history
    gradient = torch.stack([interval.gradient for interval in intervals]).sum(0)
    return gradient * (x - baseline), n_evaluations


def evaluate_intervals(
    compute: Compute, x: Tensor, baseline: Tensor, parts: list[tuple[float, float]]
) -> list[Interval]:
    """Integrate the gradient over parts of the path."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    starts, ends = np.array(parts).T
    widths = ends - starts
    places = starts[:, None] + (nodes + 1) / 2 * widths[:, None]
    gradients = differentiate(compute, x, baseline, places.ravel())
    gradients = gradients.view(len(parts), POINTS, *x.shape)
    scaled = torch.from_numpy(weights / 2 * widths[:, None])
    integrals = torch.einsum("kp,kpte->kte", scaled, gradients)
    edges = np.unique([starts, ends])
    outputs = compute_along(compute, x, baseline, edges)
    rise = (
        outputs[np.searchsorted(edges, ends)] - outputs[np.searchsorted(edges, starts)]
    )
    sums = (integrals * (x - baseline)).sum((1, 2)).numpy()
    return [
        Interval(start, end, integral, float(gap))
        for (start, end), integral, gap in zip(
            parts, integrals, sums - rise, strict=True
        )
    ]


def differentiate(
    compute: Compute, x: Tensor, baseline: Tensor, places: np.ndarray
) -> Tensor:
    """Return the gradients (n, T, E) at n places of the path."""
    gradients = []
    for part in split_batch(places, len(x)):
        batch = interpolate(x, baseline, part).requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(compute(batch).sum(), batch)
        gradients.append(gradient)
    return torch.cat(gradients)


def compute_along(
    compute: Compute, x: Tensor, baseline: Tensor, places: np.ndarray
) -> np.ndarray:
    """Return the outputs (n,) at n places of the path."""
    with torch.no_grad():
        parts = [
            compute(interpolate(x, baseline, part))
            for part in split_batch(places, len(x))
        ]
    return torch.cat(parts).numpy()


def interpolate(x: Tensor, baseline: Tensor, places: np.ndarray) -> Tensor:
    """Return the points (n, T, E) at n places of the path."""
    return baseline + torch.from_numpy(places).view(-1, 1, 1) * (x - baseline)


def split_batch(items: np.ndarray, n_steps: int) -> list[np.ndarray]:
    """Split items into batches that have a bounded number of steps."""
    size = max(1, STEPS_AT_ONCE // n_steps)
    return np.split(items, range(size, len(items), size))


def occlude(compute: Compute, x: Tensor, baseline: Tensor, width: int) -> np.ndarray:
    """Return the effects (T,) of replacing steps by the baseline.

    ``width`` successive steps are replaced at once, and share the effect equally.
    """
    n_steps = len(x)
    first = np.arange(0, n_steps, width)
    (whole,) = compute_along(compute, x, baseline, np.ones(1))
    effects = []
    steps = torch.arange(n_steps)
    with torch.no_grad():
        for part in split_batch(first, n_steps):
            begin = torch.from_numpy(part).unsqueeze(1)
            hidden = (steps >= begin) & (steps < begin + width)
            batch = torch.where(hidden.unsqueeze(2), baseline, x)
            effects.append(whole - compute(batch).numpy())
    sizes = np.minimum(first + width, n_steps) - first
    return np.repeat(np.concatenate(effects) / sizes, sizes)
