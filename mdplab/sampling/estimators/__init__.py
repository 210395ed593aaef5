"""Estimators: pure functions of trajectories, in the arithmetic of what they are given.

Batch axes broadcast as in NumPy: a policy that N trajectories share has shape (..., 1, S, A), or (S, A) for all.
"""
