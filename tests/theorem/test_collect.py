"""Theorem files are found by path and by name, and wrong names are met with the nearest right one."""

import subprocess
import sys
from pathlib import Path

import pytest

from mdplab.errors import MdplabError, TheoremError
from mdplab.theorem.collect import collect, find, shipped, theorems_in

MINE = '''
"""A theorem of one's own."""
from mdplab.exact import optimum
from mdplab.arrays import sup
from mdplab.instances import discounted_mdps
from mdplab.theorem import Quantity, as_printed, for_all, theorem
from mdplab.theorem.collect import find

imported = find("puterman1994.apriori_error")

value = Quantity("V", "largest optimal value")
γ = Quantity(r"\\\\gamma", "discount", accuracy="exact")
with as_printed():
    bound = value <= BOUND

@theorem(bound, cite="me", at="here", judge=for_all(), on={"mdp": discounted_mdps()},
         near_misses={"half of it": value <= bound.rhs / 2})
def mine(mdp):
    """Values are at most the horizon."""
    yield {value: sup(optimum(mdp).v), γ: mdp.discount}
'''
TRUE, FALSE = "1 / (1 - γ)", "1 / (1 - γ / 2)"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_paper.py"
    path.write_text(MINE.replace("BOUND", TRUE))
    return path


def test_a_file_gives_the_theorems_it_defines_and_not_those_it_imports(file):
    assert [x.id for x in theorems_in(file)] == ["my_paper.mine"]
    assert [x.id for x in collect([str(file.parent)])] == ["my_paper.mine"]


def test_papers_and_ids_name_theorems_of_the_catalogue():
    group = shipped()["puterman1994"]
    assert collect(["puterman1994"]) == group
    assert find(group[0].id) is group[0]
    assert collect(["puterman1994", group[0].id]) == group


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("putermann1994", r"putermann1994 is not a theorem.*did you mean puterman1994"),
        ("puterman1994.apriori_eror", r"did you mean puterman1994.apriori_error"),
        ("nowhere.py", "nowhere.py does not exist"),
    ],
)
def test_an_unknown_word_is_met_with_the_nearest_known_one(word, sentence):
    with pytest.raises(MdplabError, match=sentence):
        collect([word])


def test_a_file_that_breaks_names_itself(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import nothing_of_that_name\n")
    with pytest.raises(TheoremError, match=r"broken.py cannot be loaded: ModuleNotFoundError"):
        theorems_in(path)


def _pytest(folder, *options):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "my_paper.py", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_pytest_collects_a_theorem_file_with_an_item_for_the_claim_and_each_near_miss(file):
    done = _pytest(file.parent, "--collect-only")
    assert "my_paper.py::mine::claim" in done.stdout
    assert "my_paper.py::mine::rejects[half of it]" in done.stdout


def test_pytest_prints_the_mathematics_of_a_refutation_and_a_command_that_replays_it(file):
    file.write_text(MINE.replace("BOUND", FALSE))
    done = _pytest(file.parent)
    assert done.returncode == 1
    assert "my_paper.mine" in done.stdout
    assert "mdplab replay counterexamples" in done.stdout
    assert "Traceback" not in done.stdout
    saved = sorted(p.name for p in (file.parent / "counterexamples").iterdir())
    assert saved == ["my_paper.mine.smallest.json", "my_paper.mine.worst.json"]


def test_an_installed_catalogue_loads_whole_in_anybody_s_folder(tmp_path):
    """The layout of the wheel, beside a folder of one's own that is called like the shipped one."""
    import shutil

    import mdplab
    from mdplab.theorem.collect import catalogue, files

    site, own = tmp_path / "site", tmp_path / "work" / "theorems"
    shutil.copytree(Path(mdplab.__file__).parent, site / "mdplab", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("theorems", "experiments"):
        there = site / "mdplab" / "catalogue" / folder
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(catalogue(folder), there, ignore=shutil.ignore_patterns("__pycache__"))
    own.mkdir(parents=True)
    program = (
        "import sys\n"
        f"sys.path[:] = [{str(site)!r}] + [p for p in sys.path if p.endswith(('site-packages', 'lib-dynload', '.zip')) "
        "or '/lib/python' in p]\n"
        "import mdplab; from mdplab.theorem.collect import collect, catalogue, files, load\n"
        "print(mdplab.__file__, len(collect([])), len([load(x) for x in files(catalogue('experiments'))]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=own.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    where, theorems, experiments = done.stdout.split()
    assert where.startswith(str(site))
    assert (int(theorems), int(experiments)) == (len(collect([])), len(files(catalogue("experiments"))))
