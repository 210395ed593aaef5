"""Kinds of claim: a judge turns the stream of bindings into outcomes.

Deterministic claims have their judges here: `for_all`, `identity`, `rate`, `witness`.  Claims about expectations and
probabilities (`in_expectation`, `with_probability`) will be files beside them.
"""

from mdplab.theorem.judges.for_all import ForAll as ForAll
from mdplab.theorem.judges.for_all import for_all as for_all
from mdplab.theorem.judges.for_all import identity as identity
from mdplab.theorem.judges.rate import Rate as Rate
from mdplab.theorem.judges.rate import rate as rate
from mdplab.theorem.judges.witness import Witness as Witness
from mdplab.theorem.judges.witness import witness as witness
