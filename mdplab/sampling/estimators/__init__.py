"""Estimators: pure functions of trajectories, in the arithmetic of what they are given.

Leading axes are batch axes, aligned with the first ones of the trajectories, as for `rollouts`: the policy that was
given there serves here unchanged, whatever the number of trajectories drawn from it.
"""
