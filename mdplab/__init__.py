"""mdplab: a theory-to-code laboratory for reinforcement learning on tabular and small MDPs.

A theorem of a paper is written once, as data and code in one file; `mdplab verify` says whether it stands, how tight it
is and what the worst instance is.  Packages, from the ground up: `models`, `kernels`, `instances`, `exact`, `solvers`,
`theorem`, `report`.
"""

__version__ = "0.1.0"
