"""Where problems come from: strategies, batched families, named examples, readers of foreign formats."""

from mdplab.instances.domain import Domain as Domain
from mdplab.instances.domain import Family as Family
from mdplab.instances.domains import bandits as bandits
from mdplab.instances.domains import deterministic_policies as deterministic_policies
from mdplab.instances.domains import discounted_mdps as discounted_mdps
from mdplab.instances.domains import distributions as distributions
from mdplab.instances.domains import logits as logits
from mdplab.instances.domains import numbers as numbers
from mdplab.instances.domains import policies as policies
from mdplab.instances.domains import values as values
