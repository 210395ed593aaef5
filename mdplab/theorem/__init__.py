"""What is claimed: statements, judges, search, verdicts, collection."""

from mdplab.theorem.assumptions import Assumption as Assumption
from mdplab.theorem.assumptions import Without as Without
from mdplab.theorem.assumptions import one_state as one_state
from mdplab.theorem.assumptions import positive_start as positive_start
from mdplab.theorem.assumptions import rewards_in_unit_interval as rewards_in_unit_interval
from mdplab.theorem.assumptions import unique_optimal_actions as unique_optimal_actions
from mdplab.theorem.check import check as check
from mdplab.theorem.judges import for_all as for_all
from mdplab.theorem.judges import identity as identity
from mdplab.theorem.judges import in_expectation as in_expectation
from mdplab.theorem.judges import rate as rate
from mdplab.theorem.judges import with_probability as with_probability
from mdplab.theorem.judges import witness as witness
from mdplab.theorem.quantity import Quantity as Quantity
from mdplab.theorem.quantity import as_printed as as_printed
from mdplab.theorem.statement import Theorem as Theorem
from mdplab.theorem.statement import theorem as theorem
from mdplab.theorem.verdict import Verdict as Verdict
