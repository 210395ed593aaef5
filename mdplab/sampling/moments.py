"""Exact moments of an estimator from all its outcomes and their probabilities."""

from __future__ import annotations

import math

import numpy as np

from mdplab.arrays import Array, expand, total


def mean(probability: Array, X: Array, axes: int = 0) -> Array:
    """E[X] = Σ_i p_i X_i over the axis of the outcomes;  (..., N) and (..., N, *event) -> (..., *event).

    Parameters
    ----------
    probability : array (..., N)
        Of each outcome, for instance from `every_trajectory`; 1 / N each gives the average of a sample.
    X : array (..., N, *event)
    axes : int
        Number of axes of the event: 0 for a number, 2 for a gradient (S, A).
    """
    return (expand(probability, axes) * X).sum(axis=-1 - axes)


def second_moment(probability: Array, X: Array, axes: int = 0) -> Array:
    """E‖X‖², the sum of the squares of all entries of an event;  arguments as for `mean` -> (...)."""
    return mean(probability, total(X * X, axes))


def trace_variance(probability: Array, X: Array, axes: int = 0) -> Array:
    """E‖X − E X‖², the trace of the covariance, a sum of non-negative terms;  arguments as for `mean` -> (...)."""
    return second_moment(probability, _centred(probability, X, axes), axes)


def covariance(probability: Array, X: Array, axes: int = 0) -> Array:
    """E[(X − E X)(X − E X)^T], events flattened;  arguments as for `mean` -> (..., n, n)."""
    Z = _centred(probability, X, axes)
    Z = Z.reshape(*Z.shape[: Z.ndim - axes], math.prod(Z.shape[Z.ndim - axes :]))
    return mean(probability, Z[..., :, None] * Z[..., None, :], 2)


def _centred(probability: Array, X: Array, axes: int) -> Array:
    return X - np.expand_dims(mean(probability, X, axes), -1 - axes)
