"""Building the real stack: what must hold of the command and its cache. Go is a stand-in."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack import building, recipes
from tests.patience import PATIENCE
from tests.stack import binaries
from tests.stack.builder import ROOT, Builder


def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def folders() -> dict[str, Path]:
    """Returns where the cache has each recipe's programs."""
    return {name: recipes.folder(name) for name in recipes.RECIPES}


def changed(before: dict[str, Path]) -> set[str]:
    """Returns the recipes whose digest is another one now."""
    return {name for name, folder in folders().items() if folder != before[name]}


def test_everything_is_built_in_order_and_found(builder: Builder) -> None:
    """All recipes are built one after the other, the collector first, and each program is where --where says."""
    status, out, err = builder.run()
    assert (status, err) == (0, "")
    assert builder.builds() == ["builder", "collector", "prometheus", "jaeger", "loki"]
    assert re.findall(r"^(\w+): (\w+)", out, re.MULTILINE) == [
        (name, word) for name in recipes.RECIPES for word in ("begun", "done")
    ]
    told = dict(re.findall(r"^(\w+) +(/\S+)$", out, re.MULTILINE))
    assert list(told) == ["otelcol", "prometheus", "promtool", "jaeger", "loki"]
    assert {program: builder.run("--where", program)[1].strip() for program in told} == told
    assert builder.begun() == []


def test_one_recipe_is_built_alone(builder: Builder) -> None:
    """Of several recipes only those are built that are named."""
    assert builder.run("jaeger")[0] == 0
    assert builder.finished() == ["jaeger"]


def test_second_call_builds_nothing(builder: Builder) -> None:
    """What is there is not built again, only told."""
    first = builder.run("prometheus")[1]
    assert builder.run("prometheus") == (0, "".join(first.splitlines(keepends=True)[2:]), "")
    assert builder.builds() == ["prometheus"]


@pytest.mark.parametrize(
    ("file", "recipe"),
    [
        ("collector/manifest.yaml", "collector"),
        ("collector/go.mod", "collector"),
        ("builder/go.sum", "collector"),
        ("prometheus/go.mod", "prometheus"),
        ("jaeger/go.sum", "jaeger"),
        ("loki/go.mod", "loki"),
    ],
)
def test_each_file_decides_about_its_recipe(builder: Builder, file: str, recipe: str) -> None:
    """A change of a recipe's file asks for another build of that recipe, and of no other."""
    before = folders()
    with (builder.stack / file).open("a") as opened:
        opened.write("\n")
    assert changed(before) == {recipe}


def test_configuration_beside_a_recipe_decides_nothing(builder: Builder) -> None:
    """A file that is no input of the build may change."""
    before = folders()
    (builder.stack / "loki" / "loki.yaml").write_text("{}")
    assert changed(before) == set()


def test_gos_version_decides(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Go asks for another build of everything."""
    before = folders()
    monkeypatch.setenv("GO_VERSION", "go1.99.1")
    assert changed(before) == set(recipes.RECIPES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMPILE", ("go", "build")),
        ("GENERATE", ("--config", "other.yaml")),
        ("ENVIRONMENT", recipes.ENVIRONMENT | {"CGO_ENABLED": "1"}),
    ],
)
def test_flags_decide(builder: Builder, monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    """Other flags or another environment ask for another build of everything."""
    before = folders()
    monkeypatch.setattr(recipes, name, value)
    assert changed(before) == set(recipes.RECIPES)


def test_tags_decide(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other build tags ask for another build of their recipe."""
    before = folders()
    monkeypatch.setitem(recipes.RECIPES, "loki", replace(recipes.RECIPES["loki"], tags="other"))
    assert changed(before) == {"loki"}


def test_failed_build_is_quoted_and_leaves_nothing(builder: Builder) -> None:
    """When Go fails, its last lines are shown, without what it downloads, and nothing is left in the cache."""
    assert builder.run("jaeger", GO_STATUS="1") == (
        1,
        "jaeger: begun\n",
        "stack-binaries: jaeger cannot be built:\n  a word of the compiler's\n",
    )
    assert (builder.finished(), builder.begun()) == ([], [])


def test_interrupted_build_leaves_nothing(builder: Builder) -> None:
    """A build that is interrupted ends Go too, says so in one line and leaves nothing in the cache."""
    with builder.start("jaeger", GO_WAITS="/nowhere") as process:
        eventually(lambda: builder.builds() == ["jaeger"])
        process.terminate()
        assert process.communicate(timeout=PATIENCE) == ("jaeger: begun\n", "stack-binaries: interrupted\n")
    assert process.returncode == 1
    assert not builder.running()
    assert (builder.finished(), builder.begun()) == ([], [])


def test_killed_build_is_not_taken_for_finished(builder: Builder) -> None:
    """What a killed build leaves is found by nobody, and removed by the next one."""
    with builder.start("jaeger", GO_WAITS="/nowhere") as process:
        eventually(lambda: builder.builds() == ["jaeger"])
        process.kill()
    os.killpg(builder.last(), signal.SIGKILL)
    assert (builder.finished(), len(builder.begun())) == ([], 1)
    assert builder.run("--where", "jaeger")[0] == 1
    assert builder.run("jaeger")[0] == 0
    assert (builder.finished(), builder.begun()) == (["jaeger"], [])


def test_two_builds_at_once_are_one(builder: Builder, tmp_path: Path) -> None:
    """A second build of the same recipe waits for the first one and uses what it has built."""
    ready = tmp_path / "ready"
    with builder.start("jaeger", GO_WAITS=str(ready)) as first:
        eventually(lambda: builder.builds() == ["jaeger"])
        with builder.start("jaeger") as second:
            assert second.stdout.readline() == "jaeger: waits for another build\n"
            ready.touch()
            assert [process.wait(timeout=PATIENCE) for process in (first, second)] == [0, 0]
            assert first.stdout.read().splitlines()[2:] == second.stdout.read().splitlines()
    assert builder.builds() == ["jaeger"]


def test_recipe_that_changes_meanwhile_is_not_kept(builder: Builder) -> None:
    """A build during which its recipe changes is not stored under either digest."""
    status, _, err = builder.run("loki", GO_CHANGES=str(builder.stack / "loki" / "go.mod"))
    assert (status, err) == (1, "stack-binaries: the recipe of loki changed while it was built: build it again\n")
    assert builder.finished() == []


def test_long_build_says_that_it_goes_on(builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Go compiles, a line now and then says for how long it has."""
    monkeypatch.setattr(building, "STACK", builder.stack)
    monkeypatch.setattr(building, "PROGRESS_SECONDS", 0.05)
    monkeypatch.setenv("GO_WAITS", str(tmp_path / "ready"))
    told = []

    def say(line: str) -> None:
        told.append(line)
        if len(told) == 3:
            (tmp_path / "ready").touch()

    monkeypatch.setattr(building, "_say", say)
    building.build("jaeger")
    text = "\n".join(told)
    assert re.fullmatch(r"jaeger: begun(\njaeger: \d+ s){2,}\njaeger: done in \d+ s, jaeger 0 MB", text), text


def test_no_go_is_one_line(builder: Builder, tmp_path: Path) -> None:
    """Without Go one line says which version to install, whether something is to be built or found."""
    expected = (
        "stack-binaries: no Go starts on this machine: "
        r"install Go 1\.\d+\.\d+ or newer \(the package golang of a distribution may be older\)\n"
    )
    for arguments in (["loki"], [], ["--where", "loki"]):
        status, out, err = builder.run(*arguments, PATH=str(tmp_path))
        assert (status, out) == (1, "")
        assert re.fullmatch(expected, err), err


def test_too_old_go_is_one_line(builder: Builder) -> None:
    """A Go that is older than a recipe asks for is not tried."""
    (builder.stack / "loki" / "go.mod").write_text("module loki\n\ngo 1.30.2\n")
    status, _, err = builder.run("loki", GO_VERSION="go1.30.1")
    assert status == 1
    assert err.startswith("stack-binaries: go1.30.1 is too old: install Go 1.30.2 or newer (")
    assert err.count("\n") == 1
    assert builder.run("loki", GO_VERSION="go1.30.2")[0] == 0


@pytest.mark.parametrize("arguments", [["tempo"], ["--where"], ["--where", "tempo"], ["--where", "loki", "jaeger"]])
def test_unknown_names_are_one_line(builder: Builder, arguments: list[str]) -> None:
    """What there is no recipe for is answered with what there is, in one line."""
    status, out, err = builder.run(*arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "jaeger, loki" in err


def test_cache_that_cannot_be_written_is_one_line(builder: Builder, tmp_path: Path) -> None:
    """A cache that is no folder is named."""
    (tmp_path / "file").touch()
    status, out, err = builder.run("loki", CLEARSTORY_CACHE=str(tmp_path / "file"))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert str(tmp_path / "file") in err


def test_make_starts_it_from_the_tree() -> None:
    """`make stack-binaries` passes ONLY on and fails when the command does."""
    environment = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(
        ["make", "-C", ROOT, "stack-binaries", "ONLY=tempo"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "stack-binaries: tempo is not one of collector, prometheus, jaeger, loki" in done.stderr


@pytest.fixture
def nothing_found() -> Iterator[None]:
    """Programs that were found before are looked for again, by this test and by the next one."""
    binaries._found.cache_clear()
    yield
    binaries._found.cache_clear()


def test_missing_program_skips_its_tests(builder: Builder, nothing_found: None) -> None:
    """A test that needs a program that is not built is skipped, with the command that builds it."""
    reason = "^loki is not built for the present recipe: make stack-binaries ONLY=loki$"
    for _ in range(2):
        with pytest.raises(pytest.skip.Exception, match=reason):
            binaries.binary("loki")


def test_built_program_is_given_to_its_tests(builder: Builder, nothing_found: None) -> None:
    """A test that needs a program gets the path of the one that the command has built."""
    told = builder.run("loki")[1].split()[-1]
    assert binaries.binary("loki") == Path(told)


def test_manifest_and_module_are_of_the_same_versions() -> None:
    """The collector's go.mod has each component, and the builder, in the version that the manifest names."""
    manifest = (ROOT / "stack/collector/manifest.yaml").read_text()
    components = re.findall(r"^  - gomod: (\S+ v\S+)", manifest, re.MULTILINE)
    module = (ROOT / "stack/collector/go.mod").read_text().splitlines()
    assert components
    assert [component for component in components if f"\t{component}" not in module] == []
    version = re.search(r"^  version: (\S+)$", manifest, re.MULTILINE)[1]
    assert f"cmd/builder v{version} " in (ROOT / "stack/builder/go.mod").read_text()


def test_recipes_have_no_address() -> None:
    """A recipe names no module proxy and no folder of a machine, so that it works with anyone's."""
    texts = {path: path.read_text() for path in (ROOT / "stack").glob("*/*") if path.name in recipes.INPUTS}
    assert len(texts) == 11
    assert [path for path, text in texts.items() if re.search(r"(?:https?|file|ssh)://|=> [./]", text)] == []
