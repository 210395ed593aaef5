"""The command line: each command reads its words, calls the library, and says what it did and where the result is.

Exit status: 0 all as declared; 1 something refuted, undecided, vacuous or toothless that was not declared so; 2 bad
input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mdplab import __version__
from mdplab.errors import MdplabError

if TYPE_CHECKING:
    from mdplab.theorem import Theorem, Verdict

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="pytest for theorems: verify bounds of reinforcement learning on thousands of small MDPs.",
)

Model = Annotated[
    str | None,
    typer.Option(
        "--on", help="A model: gym:FrozenLake-v1, garnet:S=20,A=5,seed=3, a named example, .npz, .json, .pomdp."
    ),
]
Discount = Annotated[str | None, typer.Option(help="Discount factor in [0, 1), such as 0.9 or 9/10.")]
Start = Annotated[str | None, typer.Option(help="Start distribution: uniform, or the index of a state.")]
Seed = Annotated[int, typer.Option(help="Seed of all draws; the same seed gives the same verdicts.")]
Device = Annotated[str, typer.Option(help="Where batches of models run: cpu or cuda.")]


def main() -> None:
    """Run the command line; errors of the input end in one sentence and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except MdplabError as error:
        print(f"mdplab: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except MemoryError as error:
        print(
            f"mdplab: there is not enough memory ({error or 'all is taken'}); expected a smaller model", file=sys.stderr
        )
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:  # by name: some versions of Typer carry their own copy of click and its errors
        if hasattr(error, "format_message"):
            print(f"mdplab: {error.format_message()}", file=sys.stderr)
            raise SystemExit(2) from None
        if type(error).__name__ in ("Abort", "Exit"):
            raise SystemExit(getattr(error, "exit_code", 130)) from None
        raise
    if isinstance(status, int) and status:  # some versions of Typer return it, 130 if interrupted
        raise SystemExit(status)


@app.command()
def verify(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="Papers (mei2020), theorems (mei2020.thm4), files or folders; default: all."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer and smaller instances: seconds.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Several times the instances and replicates: minutes.")] = False,
    on: Model = None,
    discount: Discount = None,
    start: Start = None,
    device: Device = "cpu",
    seed: Seed = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the verdicts to this file.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a site of static pages into this folder.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes side by side; default: the number of cores.")] = None,
) -> None:
    """Check theorems and say which stand, how tight they are and what refutes them."""
    from mdplab.theorem.collect import collect
    from mdplab.theorem.run import Settings

    if quick and full:
        raise MdplabError("--quick and --full exclude each other")
    _check_device(device)
    theorems = collect(targets or [])
    model = _model(on, discount, start)
    if model is not None:
        theorems = _applying(theorems, *model)
    settings = Settings("quick" if quick else "full" if full else "default", seed, device, model)
    done, interrupted = _verified(theorems, settings, workers)
    if json_file is not None:
        verdicts = [verdict.to_json() for _, verdict, _ in done]
        json_file.write_text(json.dumps(verdicts, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        print(f"verdicts written to {json_file}")
    if report is not None:
        from mdplab.report.html import write_site

        with _progress() as bar:
            task = bar.add_task("writing pages", total=len(done))
            index = write_site(report, [(x, v) for x, v, _ in done], model=model, progress=lambda *_: bar.advance(task))
        print(f"report written to {index}")
    _save_counterexamples(done, report)
    if interrupted:
        _interrupted()
    if not all(verdict.as_declared for _, verdict, _ in done):
        raise SystemExit(1)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="theorems, papers, solvers, instances or experiments")],
    as_json: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
) -> None:
    """List what there is."""
    from mdplab.report import listing

    rows = listing.rows(what)
    print(json.dumps(rows, indent=1, ensure_ascii=False) if as_json else listing.text(rows))


@app.command()
def show(id: Annotated[str, typer.Argument(help="A theorem, such as mei2020.thm4.")]) -> None:
    """Show a theorem: statement, assumptions, source, near misses."""
    from mdplab.report import terminal
    from mdplab.theorem.collect import find

    print(terminal.show(find(id)))


@app.command()
def plot(
    id: Annotated[str, typer.Argument(help="A theorem, such as mei2020.thm4.")],
    on: Model = None,
    discount: Discount = None,
    start: Start = None,
    seed: Seed = 0,
    up_to: Annotated[int | None, typer.Option(help="Last iterate; default: that of the theorem's judge.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Figure file: .svg, .png or .pdf.")] = None,
) -> None:
    """Draw the measured quantity with the bound over it, and keep the data (netCDF and CSV) beside the figure."""
    from mdplab.report import figures
    from mdplab.theorem.check import applies
    from mdplab.theorem.collect import find

    theorem, model = find(id), _model(on, discount, start)
    if model is not None and (why := applies(theorem, model[1])):
        raise MdplabError(f"{id} does not apply to {model[0]}: {why}")
    with _progress() as bar:
        bar.add_task(f"measuring {id}", total=None)
        figure, data = figures.convergence(theorem, model=model, seed=seed, up_to=up_to)
    written = figures.save(figure, data, out or Path(f"{id}.svg"))
    print("written: " + ", ".join(map(str, written)))


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="An experiment, or a file of one's own.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for data and figure.")] = None,
) -> None:
    """Reproduce a figure: measure what is missing, keep the data, draw."""
    from mdplab.report import experiments, figures

    module = experiments.experiment(name)
    folder, found = out or Path("mdplab-out") / Path(name).stem, "nothing measured"
    with _progress() as bar:
        task = bar.add_task("measuring", total=None)

        def progress(done: int, of: int, kept: int) -> None:
            nonlocal found
            found = f"{done - kept} of {of} measured, {kept} found on disk"
            bar.update(task, total=of, completed=done, description=found)

        try:
            data = experiments.run(module, folder, progress)
        except KeyboardInterrupt:
            _interrupted(f"{found}; ")
    print(found)
    written = figures.save_figure(module.figure(data), folder / "figure.svg", folder / "figure.png")
    print("written: " + ", ".join(map(str, [folder / "data.nc", *written])))


@app.command()
def solve(
    model: Annotated[
        str, typer.Argument(help="gym:FrozenLake-v1, garnet:S=20,A=5, a named example, a .npz, .json or .pomdp file.")
    ],
    discount: Discount = None,
    start: Start = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Solve a model: optimal values with a certificate, and an optimal policy."""
    from mdplab.instances import find_model
    from mdplab.report import solution

    found = solution.solve(find_model(model, discount, start))
    print(json.dumps(found, ensure_ascii=False) if as_json else solution.text(model, found))


@app.command()
def replay(file: Annotated[Path, typer.Argument(help="A counterexample that mdplab saved.")]) -> None:
    """Judge a saved counterexample again: exactly, or by the race on the same replicates."""
    from mdplab.report import terminal
    from mdplab.theorem.replay import replay

    again = replay(file)
    print(terminal.replayed(again))
    declared = again.near_miss is not None or again.theorem.status == "refuted"
    if again.refutes and not declared:
        raise SystemExit(1)


@app.command()
def version() -> None:
    """Print the version."""
    print(f"mdplab {__version__}")


# -- what the commands share -------------------------------------------------------------------------------------------


def _model(on: str | None, discount: str | None, start: str | None) -> tuple[str, Any] | None:
    if on is None:
        if discount is not None or start is not None:
            raise MdplabError("--discount and --start describe the model of --on, which is missing")
        return None
    from mdplab.instances import find_model

    options = [f"{name}={value}" for name, value in (("discount", discount), ("start", start)) if value is not None]
    return " ".join([on, *options]), find_model(on, discount, start)


def _check_device(device: str) -> None:
    if device not in ("cpu", "cuda"):
        raise MdplabError(f"--device is {device!r}; expected cpu or cuda")
    if device == "cuda":
        from mdplab.kernels import require_cuda

        require_cuda()


def _applying(theorems: list[Theorem], name: str, model: Any) -> list[Theorem]:
    """The theorems whose assumptions the model meets; says why the others are left out."""
    from mdplab.theorem.check import applies

    out = []
    for x in theorems:
        why = applies(x, model)
        if why is None:
            out.append(x)
        elif len(theorems) == 1:
            raise MdplabError(f"{x.id} does not apply to {name}: {why}")
        else:
            print(f"{x.id}  does not apply: {why}")
    if not out:
        raise MdplabError(f"none of the {len(theorems)} theorems applies to {name}; the reasons are above")
    return out


def _verified(
    theorems: list[Theorem], settings: Any, workers: int | None
) -> tuple[list[tuple[Theorem, Verdict, float]], bool]:
    """Verdicts in the theorems' order, printed as they come; and whether Ctrl-C cut the run short."""
    from mdplab.report import terminal
    from mdplab.theorem.run import Journal
    from mdplab.theorem.run import verify as verify_all

    done: dict[str, tuple[Theorem, Verdict, float]] = {}
    interrupted = False
    with _progress() as bar:
        task = bar.add_task("starting", total=len(theorems))
        console = bar.console
        width = console.width if console.is_terminal else None
        roomy = width is None or width >= terminal.ONE_LINE
        longest = max(len(x.id) for x in theorems) if roomy else terminal.ID
        kept = len(Journal(theorems, settings).kept())
        if settings.profile == "full":
            console.print(terminal.budget(theorems, settings.profile))
        if kept:
            console.print(f"{kept} of {len(theorems)} verdicts are kept from an interrupted run")
        console.print(terminal.header(width, longest))

        def progress(id: str, step: str) -> None:
            bar.update(task, description=f"{id} {step}".strip())

        try:
            for x, verdict, seconds in verify_all(theorems, settings, workers, progress):
                done[x.id] = (x, verdict, seconds)
                console.print(terminal.row(x, verdict, seconds, width, longest))
                bar.advance(task)
        except KeyboardInterrupt:
            interrupted = True
    results = [done[x.id] for x in theorems if x.id in done]
    for x, verdict, _ in results:
        if not verdict.as_declared:
            print(terminal.details(x, verdict))
    print(terminal.summary(results))
    return results, interrupted


def _interrupted(found: str = "") -> NoReturn:
    print(f"interrupted; {found}the same command goes on where this one stopped", file=sys.stderr)
    raise SystemExit(130)


def _save_counterexamples(done: list[tuple[Theorem, Verdict, float]], report: Path | None) -> None:
    """Counterexamples nobody declared go into the working folder; with a report, all go with it."""
    from mdplab.theorem.replay import save

    folder = Path("counterexamples") if report is None else report / "counterexamples"
    for x, verdict, _ in done:
        if verdict.smallest is not None and (report is not None or not verdict.as_declared):
            for file in save(folder, x, verdict):
                if not verdict.as_declared:
                    print(f"replay it: mdplab replay {file}")


@contextmanager
def _progress() -> Iterator[Any]:
    """A progress bar on a terminal; where the output is piped, only what is printed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(highlight=False, soft_wrap=True)
    columns = (
        SpinnerColumn(),
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar
