"""What a problem is: one model class a file."""

from mdplab.models.discounted import DiscountedMDP as DiscountedMDP
from mdplab.models.discounted import bandit as bandit
from mdplab.models.sparse import SparseMDP as SparseMDP
