"""The house itself: tests mirror the sources one to one, every file has a door, nothing grows too big."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "odin_ws"
TESTS = ROOT / "tests"
#: Rooms of tests that mirror no source: they test engines, processes and scripts.
OTHER_ROOMS = {"contract", "integration", "scripts"}


def modules() -> list[Path]:
    return sorted(path for path in SOURCES.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))


def python_files() -> list[Path]:
    return sorted(
        path for room in ("src", "tests", "benchmarks", "scripts") for path in (ROOT / room).rglob("*.py")
    )


def mirror_of(module: Path) -> Path:
    inside = module.relative_to(SOURCES)
    return TESTS / inside.with_name(f"test_{inside.name}")


def test_every_module_has_its_tests() -> None:
    mirrors = [mirror_of(module) for module in modules()]
    assert [str(mirror.relative_to(ROOT)) for mirror in mirrors if not mirror.is_file()] == []


def test_every_test_file_has_its_module() -> None:
    mirrors = {mirror_of(module) for module in modules()}
    rooms = [path for path in TESTS.iterdir() if path.is_dir() and path.name not in OTHER_ROOMS]
    orphans = [path for room in rooms for path in room.rglob("test_*.py") if path not in mirrors]
    assert orphans == []


def test_every_file_has_a_door() -> None:
    missing = [path for path in python_files() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert missing == []


def test_no_module_grows_past_five_hundred_lines() -> None:
    assert [path for path in modules() if path.read_text().count("\n") > 500] == []


def test_no_function_of_the_sources_grows_past_sixty_lines() -> None:
    assert [name for path in modules() for name in long_functions(path)] == []


def long_functions(path: Path) -> list[str]:
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [
        f"{path.name}:{node.lineno} {node.name}"
        for node in functions
        if (node.end_lineno or node.lineno) - node.lineno >= 60 + (ast.get_docstring(node) or "").count("\n")
    ]


def test_the_rooms_without_a_mirror_are_known() -> None:
    rooms = {path.name for path in TESTS.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert rooms - OTHER_ROOMS <= {path.name for path in SOURCES.iterdir() if path.is_dir()}
