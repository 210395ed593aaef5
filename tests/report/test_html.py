import re
from html.parser import HTMLParser

import pytest

from mdplab.report.html import write_site
from mdplab.theorem.replay import replay

NAMES = ("contraction", "performance_difference", "too_good", "short_gradient", "in_parts")
VOID = {"meta", "link", "br", "img", "input", "hr", "col", "path", "rect", "use", "circle"}


@pytest.fixture(scope="module")
def results(theorems, verdict):
    return [(theorems[name], verdict(name)) for name in NAMES]


@pytest.fixture(scope="module")
def site(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assert write_site(folder, results) == folder / "index.html"
    return folder


class Checker(HTMLParser):
    """Collects links and unbalanced tags."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.tags, self.wrong = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)


def checked(path):
    checker = Checker()
    checker.feed(path.read_text())
    return checker


def test_there_is_a_page_for_each_theorem_and_every_link_leads_somewhere(site):
    pages = sorted(site.glob("*.html"))
    assert len(pages) == 1 + len(NAMES)
    for page in pages:
        for link in checked(page).links:
            if not link.startswith(("#", "https://arxiv.org/abs/", "https://doi.org/")):
                assert (site / link).exists(), (page.name, link)


def test_pages_are_balanced_and_need_no_script_and_no_network(site):
    for page in site.glob("*.html"):
        found = checked(page)
        assert not found.wrong, page.name
        assert not found.open, page.name
        assert not {"script", "img", "link", "iframe"} & found.tags
        assert "@import" not in page.read_text()
        assert "url(http" not in page.read_text()


def test_statements_are_mathml_in_a_box_that_scrolls(site):
    text = (site / "sample_theorems.contraction.html").read_text()
    assert re.search(r'class="scroll"><math [^>]*display="block"', text)


def test_figures_take_the_colours_of_the_page(site):
    text = (site / "sample_theorems.contraction.html").read_text()
    assert "currentColor" in text
    assert "var(--blue)" in text
    assert "#0072b2" not in text.split("</style>")[1]


def test_a_refuted_theorem_shows_its_counterexample_and_how_to_replay_it(site):
    text = (site / "sample_theorems.too_good.html").read_text()
    file = "counterexamples/sample_theorems.too_good.smallest.json"
    assert f"mdplab replay {file}" in text
    assert replay(site / file).refutes
    assert "refuted, as declared" in text


@pytest.fixture(scope="module")
def random(theorems, verdict, tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    write_site(folder, [(theorems[name], verdict(name)) for name in ("average", "unbiased", "too_small", "cut_return")])
    return {page.stem.partition(".")[2]: page for page in folder.glob("*.html")}


def test_a_raced_theorem_says_on_how_many_replicates_and_how_sure_that_is(random, verdict):
    text = random["average"].read_text()
    assert f"<dt>replicates</dt><dd>{verdict('average').replicates:,}</dd>" in text
    assert "Sampled, decided by a race with error probability 1e-6." in text
    assert "It claims a bound in expectation at every iterate." in text
    assert "has probability 10<sup>−6</sup> at most" in text
    assert f"{verdict('average').comparisons['races']} by races" in text
    assert "Solid: mean and central 90 % of 512 replicates." in text


def test_an_undecided_theorem_shows_what_is_not_excluded(random):
    text = random["unbiased"].read_text()
    assert re.search(r"the mean of larger − smaller lies in \[-[\d.]+, [\d.]+\]", text)
    assert "bars: two standard errors of 512 replicates" in text


def test_a_raced_counterexample_says_its_replicates_and_its_file_replays(random):
    text = random["too_small"].read_text()
    assert re.search(r"means of \d+ replicates of seed 0\. Found by", text)
    assert replay(random["too_small"].parent / "counterexamples/sample_theorems.too_small.smallest.json").refutes


def test_where_outcomes_were_listed_no_race_is_spoken_of(random):
    text = random["cut_return"].read_text()
    assert "all of whose outcomes were listed" in text
    assert "<dt>replicates</dt>" not in text
    assert "one of two bets wins" not in text


def test_pages_of_random_theorems_are_balanced(random):
    for page in random.values():
        found = checked(page)
        assert not found.wrong, page.name
        assert not found.open, page.name


def test_every_near_miss_can_be_replayed(site):
    files = list((site / "counterexamples").glob("*near-miss*.json"))
    assert len(files) == 4
    assert all(replay(file).refutes for file in files)


def test_the_overview_groups_by_paper(site):
    text = (site / "index.html").read_text()
    assert text.count('<section class="paper">') == 4
    assert "Markov Decision Processes: Discrete Stochastic Dynamic Programming" in text
    assert text.index("Martin L. Puterman") < text.index("mei2020softmax")


def test_text_is_escaped(results, tmp_path):
    from dataclasses import replace

    theorem, verdict = results[1]
    evil = replace(theorem, note="<script>alert(1)</script>", at="a < b & c")
    write_site(tmp_path, [(evil, verdict)])
    text = (tmp_path / "sample_theorems.performance_difference.html").read_text()
    assert "<script>" not in text
    assert "a &lt; b &amp; c" in text


def test_the_same_verdicts_give_the_same_bytes(site, results, tmp_path):
    write_site(tmp_path, results)
    files = sorted(p.relative_to(site) for p in site.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    for name in files:
        assert (site / name).read_bytes() == (tmp_path / name).read_bytes(), name
