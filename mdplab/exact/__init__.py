"""What is true of a policy: values, visits, gradients, optimal policies and gaps, without sampling."""

from mdplab.exact.fisher import fisher as fisher
from mdplab.exact.fisher import fisher_pseudo_inverse as fisher_pseudo_inverse
from mdplab.exact.fisher import natural_gradient as natural_gradient
from mdplab.exact.gap import gap as gap
from mdplab.exact.gradients import direct_gradient as direct_gradient
from mdplab.exact.gradients import softmax_gradient as softmax_gradient
from mdplab.exact.hessians import direct_hessian as direct_hessian
from mdplab.exact.hessians import softmax_hessian as softmax_hessian
from mdplab.exact.linear_program import LinearProgram as LinearProgram
from mdplab.exact.linear_program import linear_program as linear_program
from mdplab.exact.optimum import Optimum as Optimum
from mdplab.exact.optimum import optimum as optimum
from mdplab.exact.soft import entropy as entropy
from mdplab.exact.soft import soft_action_values as soft_action_values
from mdplab.exact.soft import soft_advantages as soft_advantages
from mdplab.exact.soft import soft_gradient as soft_gradient
from mdplab.exact.soft import soft_values as soft_values
from mdplab.exact.soft_optimum import SoftOptimum as SoftOptimum
from mdplab.exact.soft_optimum import soft_gap as soft_gap
from mdplab.exact.soft_optimum import soft_optimum as soft_optimum
from mdplab.exact.values import action_values as action_values
from mdplab.exact.values import advantages as advantages
from mdplab.exact.values import values as values
from mdplab.exact.visits import occupancy as occupancy
from mdplab.exact.visits import visits as visits
from mdplab.exact.visits import visits_from_each as visits_from_each
