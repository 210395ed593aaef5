"""Every theorem, on models of its class that are not those it names: it says why not, or it measures."""

import pytest

from mdplab.errors import MdplabError
from mdplab.instances import find_model
from mdplab.instances.robust import ANY_SET
from mdplab.theorem.check import applies
from mdplab.theorem.collect import shipped
from mdplab.theorem.inputs import on_model, pick

MODELS = [
    "constrained-garnet:S=2,A=2",
    "two-constraints",
    "torn",
    "deep-sea",
    "walk",
    "late-choice",
    "uneven-epochs",
    "tiger",
    "emitting:S=2,A=2,O=2",
    "sign-reversal:horizon=2",
    "two-witnesses",
    *(f"robust-garnet:S=2,A=2,set={name}" for name in ANY_SET),
]


@pytest.mark.parametrize("name", MODELS)
def test_a_theorem_measures_a_model_of_its_class_or_says_in_a_sentence_why_not(name):
    model, seen = find_model(name), 0
    for theorem in (x for paper in shipped().values() for x in paper):
        wanted = next(iter(theorem.on.values())).model
        if wanted is None or not isinstance(model, wanted):
            continue
        seen += 1
        if (why := applies(theorem, model)) is not None:
            assert why.startswith(("it is about", "it is assumed", "its instances")), (theorem.id, why)
            continue
        if theorem.is_random:  # its measure wants draws
            continue
        inputs = on_model(theorem, model, 0)
        for assumption in theorem.given:
            inputs = pick(inputs, assumption.met_by(inputs))
        try:
            next(iter(theorem.measure(**inputs)))
        except MdplabError as error:
            pytest.fail(f"{theorem.id}: {error}")
    assert seen
