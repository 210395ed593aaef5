"""Kinds of claim: a judge turns the stream of bindings into outcomes.

`for_all`, `identity`, `rate` and `witness` are for deterministic claims, `in_expectation` and `with_probability` for
random ones, which a race of two e-processes decides.
"""

from mdplab.theorem.judges.for_all import ForAll as ForAll
from mdplab.theorem.judges.for_all import for_all as for_all
from mdplab.theorem.judges.for_all import identity as identity
from mdplab.theorem.judges.random import InExpectation as InExpectation
from mdplab.theorem.judges.random import WithProbability as WithProbability
from mdplab.theorem.judges.random import in_expectation as in_expectation
from mdplab.theorem.judges.random import with_probability as with_probability
from mdplab.theorem.judges.rate import Rate as Rate
from mdplab.theorem.judges.rate import rate as rate
from mdplab.theorem.judges.witness import Witness as Witness
from mdplab.theorem.judges.witness import witness as witness
