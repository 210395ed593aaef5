"""What improves a policy: one algorithm a file."""

from mdplab.solvers.checkpoints import every as every
from mdplab.solvers.checkpoints import geometric as geometric
from mdplab.solvers.decaying_entropy_pg import DecayingIterate as DecayingIterate
from mdplab.solvers.decaying_entropy_pg import decaying_entropy_pg as decaying_entropy_pg
from mdplab.solvers.decaying_entropy_pg import logarithmic_temperatures as logarithmic_temperatures
from mdplab.solvers.entropy_natural_pg import entropy_natural_pg as entropy_natural_pg
from mdplab.solvers.entropy_pg import EntropyIterate as EntropyIterate
from mdplab.solvers.entropy_pg import entropy_pg as entropy_pg
from mdplab.solvers.log_barrier_pg import BarrierIterate as BarrierIterate
from mdplab.solvers.log_barrier_pg import log_barrier_gradient as log_barrier_gradient
from mdplab.solvers.log_barrier_pg import log_barrier_pg as log_barrier_pg
from mdplab.solvers.log_barrier_pg import log_barrier_smoothness as log_barrier_smoothness
from mdplab.solvers.mirror_descent import MirrorIterate as MirrorIterate
from mdplab.solvers.mirror_descent import geometric_steps as geometric_steps
from mdplab.solvers.mirror_descent import mirror_descent as mirror_descent
from mdplab.solvers.natural_pg import natural_pg as natural_pg
from mdplab.solvers.policy_iteration import policy_iteration as policy_iteration
from mdplab.solvers.projected_pg import ProjectedIterate as ProjectedIterate
from mdplab.solvers.projected_pg import projected_pg as projected_pg
from mdplab.solvers.simplex import project_to_simplex as project_to_simplex
from mdplab.solvers.softmax_pg import Iterate as Iterate
from mdplab.solvers.softmax_pg import softmax_pg as softmax_pg
from mdplab.solvers.value_iteration import enclosures as enclosures
from mdplab.solvers.value_iteration import value_iteration as value_iteration
