"""The documentation says what the program says, and every verb and measure is in it."""

import ast
import dataclasses
import doctest
import importlib.util
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import grokscope as gs
from grokscope.cli.command_line import VERBS, verb_class
from grokscope.config.run import PRESETS
from grokscope.disk.manifest import FORMAT, Manifest, Status
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.measures import MEASURES

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"


def reference() -> ModuleType:
    return builder("reference")


def builder(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "measures.md"])
def test_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == reference().PAGES[name](), "run `make docs`"


def test_reproduction_says_what_the_results_say() -> None:
    text = (ROOT / "docs" / "reproduction.md").read_text()
    assert text == builder("reproduction").page(), "run `make reproduction`"


def test_results_in_the_repository_are_small() -> None:
    files = list((ROOT / "results").iterdir())
    assert files
    assert [f.name for f in files if f.stat().st_size > 300_000] == []


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_readme_shows_every_verb() -> None:
    text = (ROOT / "README.md").read_text()
    for verb in VERBS:
        assert f"grokscope {verb}" in text


def test_commands_of_the_pages_leave_the_results_of_the_project_alone() -> None:
    shown = [path for path in pages() if path.name != "reproduction.md"]
    blocks = [
        b for path in shown for b in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
    ]
    commands = [line for block in blocks for line in block.splitlines() if "reproduce" in line]
    assert any("--known results" in line for line in commands)
    tracked = {path.name for path in ROOT.iterdir()} - {"runs", "sweeps"}
    for line in commands:
        written = re.findall(r"--(?:results|out) (\S+)", line)
        assert tracked.isdisjoint(Path(path).parts[0] for path in written), line


def test_long_description_leads_nowhere_that_an_index_has_not() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = (ROOT / "README.md").read_text()
    for change in settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"][
        "substitutions"
    ]:
        text = re.sub(change["pattern"], change["replacement"], text)
    assert len(text) > 3000
    assert re.findall(r"!\[", text) == []
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert all(link.startswith("https://") for link in links)


def test_every_public_name_has_its_place_in_the_reference() -> None:
    shown = [path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md")]
    places = set(re.findall(r"^::: (\S+)$", "\n".join(shown), re.MULTILINE))
    modules = {
        name: getattr(gs, name) for name in gs.__all__ if inspect.ismodule(getattr(gs, name))
    }
    wanted = {f"grokscope.{name}" for name in gs.__all__ if name not in modules}
    wanted |= {module.__name__ for module in modules.values()}
    assert wanted - places == set()


def test_every_page_of_the_site_has_its_place_in_the_navigation() -> None:
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    docs = ROOT / "docs"
    named = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    named = {name for name in named if not name.startswith("templates/")}
    assert {name for name in named if not name.endswith("_numbers.md")} == set(
        re.findall(r"\S+\.md", nav)
    )


def test_run_folder_page_names_every_field_and_file() -> None:
    text = (ROOT / "docs" / "run-folder.md").read_text()
    fields = [field.name for field in dataclasses.fields(Manifest)]
    assert [name for name in fields if f"`{name}`" not in text] == []
    assert f"| `format` | {FORMAT} |" in text
    for status in get_args(Status):
        assert f"`{status}`" in text
    for column in (*METRIC_SCHEMA.names, *SPECTRA_SCHEMA.names):
        assert re.search(rf"\b{column}\b", text), column


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield every docstring of the program with the place where it stands."""
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                yield f"{path.name}: {getattr(node, 'name', '')}", ast.get_docstring(node) or ""


def test_no_long_docstring_stands_twice() -> None:
    places: dict[str, list[str]] = {}
    for place, text in docstrings():
        if len(text) > 250:
            places.setdefault(text, []).append(place)
    assert [found for found in places.values() if len(found) > 1] == []


def test_constants_that_docstrings_name_are_there() -> None:
    for place, text in docstrings():
        for module, name in re.findall(r"`(\w+)\.([A-Z][A-Z_]{3,})`", text):
            files = [*SRC.rglob(f"{module}.py"), *SRC.rglob(f"{module}/__init__.py")]
            assert any(re.search(rf"^{name}\b", f.read_text(), re.M) for f in files), place


def test_every_measure_is_described() -> None:
    text = (ROOT / "docs" / "measures.md").read_text()
    for key, measure in MEASURES.items():
        assert f"`{key}`" in text
        assert measure.name in text


def test_help_of_train_names_every_preset() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for preset in PRESETS:
        assert re.search(rf"\b{preset}\b", text)


def test_help_of_measure_names_every_measure() -> None:
    words = set(re.findall(r"\w+", inspect.getdoc(verb_class("measure")) or ""))
    assert {measure.symbol for measure in MEASURES.values()} <= words


def test_pictures_and_pages_that_the_docs_link_to_exist() -> None:
    for page in pages():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", _without_code(page.read_text())):
            if "://" not in target and "templates" not in page.parts:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def test_figures_name_what_their_program_draws_and_are_small() -> None:
    svg = (ROOT / "docs" / "figures" / "matched.svg").read_text()
    assert set(re.findall("Y-axis titled '([^']+)'", svg)) == set(builder("matched").PANELS)
    pictures = list((ROOT / "docs" / "figures").glob("**/*.png"))
    assert pictures
    assert [f.name for f in pictures if f.stat().st_size > 500 * 1024] == []
    moving = ROOT / "docs" / "figures" / "spectrum.svg"
    assert moving.stat().st_size < 2**20
    assert "<animate " in moving.read_text()


def public() -> dict[str, object]:
    """What is measured, by name; examples of other public names need a run (`tests/notebook`)."""
    measures = {f"measures.{name}": getattr(gs.measures, name) for name in gs.measures.__all__}
    named = {"basis": gs.basis, "spectrum": gs.spectrum} | measures
    return {k: v for k, v in named.items() if inspect.isfunction(v) or inspect.isclass(v)}


EXAMPLES = {
    name: [test for test in doctest.DocTestFinder().find(value, name) if test.examples]
    for name, value in public().items()
}


@pytest.mark.parametrize("name", [name for name, tests in EXAMPLES.items() if tests])
def test_example_of_a_docstring_runs(name: str) -> None:
    runner = doctest.DocTestRunner()
    for test in EXAMPLES[name]:
        said: list[str] = []
        assert runner.run(test, out=said.append).failed == 0, "".join(said)


def test_measures_have_examples() -> None:
    names = {f"measures.{measure.function.__name__}" for measure in MEASURES.values()}
    assert all(EXAMPLES[name] for name in {*names, "basis", "spectrum"})
