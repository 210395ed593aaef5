"""Robust models: what the adversary does, what policies cost then, and the least of that."""

from mdplab.exact.robust.evaluation import WorstCase as WorstCase
from mdplab.exact.robust.evaluation import kernel_action_values as kernel_action_values
from mdplab.exact.robust.evaluation import kernel_cost_gradient as kernel_cost_gradient
from mdplab.exact.robust.evaluation import kernel_values as kernel_values
from mdplab.exact.robust.evaluation import kernel_visits as kernel_visits
from mdplab.exact.robust.evaluation import policy_cost_gradient as policy_cost_gradient
from mdplab.exact.robust.evaluation import robust_values as robust_values
from mdplab.exact.robust.evaluation import worst_case as worst_case
from mdplab.exact.robust.optimum import RobustOptimum as RobustOptimum
from mdplab.exact.robust.optimum import robust_optimum as robust_optimum
from mdplab.exact.robust.responses import robust_backup as robust_backup
from mdplab.exact.robust.responses import robust_bellman as robust_bellman
from mdplab.exact.robust.responses import worst_action_values as worst_action_values
from mdplab.exact.robust.responses import worst_response as worst_response
from mdplab.exact.robust.tilted_kernels import enclosing_box as enclosing_box
from mdplab.exact.robust.tilted_kernels import tilted_gradient as tilted_gradient
from mdplab.exact.robust.tilted_kernels import tilted_kernel as tilted_kernel
