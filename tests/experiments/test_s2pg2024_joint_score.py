"""The joint score of action and memory varies more than the actions' own, and both learn."""

from experiments import s2pg2024_joint_score as experiment


def test_the_joint_score_varies_more_at_the_same_policies_and_both_learn():
    joint, marginal = (experiment.measure(score, 2, copies=20, updates=200) for score in experiment.ESTIMATES)
    assert (joint.value[0] == marginal.value[0]).all()
    assert float(joint.variance[0]) > 2 * float(marginal.variance[0])
    for run in (joint, marginal):
        assert float(run.value[0].mean()) < 0.5
        assert float(run.value[-1].mean()) > 0.8
