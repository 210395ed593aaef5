"""What is seen of a policy: trajectories and estimators."""

from mdplab.sampling.draws import Draws as Draws
from mdplab.sampling.outcomes import NotEnumerable as NotEnumerable
from mdplab.sampling.outcomes import Outcomes as Outcomes
from mdplab.sampling.outcomes import every_trajectory as every_trajectory
from mdplab.sampling.pair_sums import pair_sums as pair_sums
from mdplab.sampling.rollouts import rollouts as rollouts
from mdplab.sampling.rollouts import walk as walk
from mdplab.sampling.trajectories import Trajectories as Trajectories
