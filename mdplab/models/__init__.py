"""What a problem is: one model class a file."""

from mdplab.models.ambiguity import Box as Box
from mdplab.models.ambiguity import ChiSquareBall as ChiSquareBall
from mdplab.models.ambiguity import FiniteSet as FiniteSet
from mdplab.models.ambiguity import KLBall as KLBall
from mdplab.models.ambiguity import L1Ball as L1Ball
from mdplab.models.ambiguity import LInfBall as LInfBall
from mdplab.models.ambiguity import Segments as Segments
from mdplab.models.ambiguity import StateL1Ball as StateL1Ball
from mdplab.models.ambiguity import StateSegments as StateSegments
from mdplab.models.ambiguity import TiltedKernels as TiltedKernels
from mdplab.models.ambiguity import WassersteinBall as WassersteinBall
from mdplab.models.confounded import ConfoundedPOMDP as ConfoundedPOMDP
from mdplab.models.constrained import ConstrainedMDP as ConstrainedMDP
from mdplab.models.constrained import with_costs as with_costs
from mdplab.models.discounted import DiscountedMDP as DiscountedMDP
from mdplab.models.discounted import bandit as bandit
from mdplab.models.exit_time import ExitTimeMDP as ExitTimeMDP
from mdplab.models.finite_horizon import FiniteHorizonMDP as FiniteHorizonMDP
from mdplab.models.multi_objective import MultiObjectiveMDP as MultiObjectiveMDP
from mdplab.models.pomdp import POMDP as POMDP
from mdplab.models.robust import RobustMDP as RobustMDP
from mdplab.models.robust import robust as robust
from mdplab.models.sparse import SparseMDP as SparseMDP
