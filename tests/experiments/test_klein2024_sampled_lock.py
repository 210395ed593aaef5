"""Single trajectories open the lock in about as many steps as exact gradients."""

from experiments import klein2024_sampled_lock


def test_the_noise_of_single_trajectories_costs_little():
    data = klein2024_sampled_lock.measure(2, copies=60)
    for scheme in ("together", "by_epoch"):
        exactly, found = float(data[scheme + "_exact"]), data[scheme]
        assert abs(float(found.median()) / exactly - 1) < 0.1
        assert (found > exactly / 2).all()
