"""Who may import whom: a room imports from lower floors only, siblings never, and torch comes late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "evalsuite"

FLOORS: dict[str, int] = {
    "errors": 0,
    "files": 0,
    "imaging": 0,
    "records": 0,
    "settings": 0,
    "pairing": 0,
    "plugins": 0,
    "profiles": 0,
    "store": 1,
    "weights": 1,
    "moments": 1,
    "noise": 1,
    "suite": 1,
    "stats": 1,
    "contract": 1,  # every room's contract.py, so that rooms speak of each other without importing each other
    "datasets": 2,
    "prompts": 2,
    "models": 2,
    "targets": 2,
    "scenarios": 2,
    "slices": 2,
    "features": 2,
    "metrics": 2,
    "profiling": 2,
    "executors": 2,
    "pipeline": 3,
    "compare": 4,
    "reports": 5,
    "history": 5,
    "export": 5,
    "outlook": 5,
    "direct": 6,
    "bisection": 6,
    "session": 6,
    "cli": 7,
    "pytest_latency": 7,
    "pytest_plugin": 8,
    "__main__": 8,
}
STRICTER: dict[str, frozenset[str]] = {
    "compare": frozenset({"suite", "stats"}),
    "reports": frozenset({"contract"}),
    "history": frozenset({"compare", "stats"}),
    "export": frozenset(),
}
"""Rooms that see less than all lower floors; floor 0 is open to everyone."""

SHARED = frozenset({"errors", "files", "imaging", "records", "settings", "pairing", "plugins", "profiles", "contract"})
"""Open to their own floor too: floor 0 is one piece, and the contracts are there to be spoken of."""

TORCH = frozenset({"torch", "torchvision", "torchmetrics", "transformers"})
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = frozenset(PACKAGE / "models" / "zoo" / name for name in ("train.py", "train_restoration.py"))
"""Run by hand to make what is shipped, and imported by their neighbours at most: they stand outside the floors."""


def is_network(path: Path) -> bool:
    """Whether a module is a network or its training, which their adapters import inside functions only."""
    inside_zoo = path.parent == PACKAGE / "models" / "zoo" and path.name != "__init__.py"
    return inside_zoo or (path.parent.name in ("features", "targets") and path.name.endswith("_network.py"))


def room_of(module: str) -> str:
    """``evalsuite.metrics.fid`` -> ``metrics``; ``evalsuite.metrics.contract`` -> ``contract``; the root -> ``""``."""
    parts = module.split(".")[1:]
    if not parts:
        return ""
    return "contract" if parts[-1] == "contract" else parts[0]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules imported anywhere in a tree; ``from evalsuite import plugins`` names ``plugins``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is meant"
            module = node.module or ""
            if module == "evalsuite" or (PACKAGE.parent / module.replace(".", "/")).is_dir():
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def executed_at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: not function bodies, not ``if TYPE_CHECKING``."""
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            todo.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))


def may_import(importer: str, imported: str) -> bool:
    """Whether one room may import another."""
    if imported == importer:
        return True
    if importer in STRICTER and FLOORS[imported] > 0:
        return imported in STRICTER[importer]
    if imported in SHARED:
        return FLOORS[imported] <= FLOORS[importer]
    return FLOORS[imported] < FLOORS[importer]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path not in {PACKAGE / "__init__.py", *SCRIPTS}], ids=name_of
)
def test_imports_go_down(path: Path) -> None:
    """The root alone looks up: it offers the public API, lazily."""
    importer = room_of(name_of(path))
    targets = (target for target in imports_of(parsed(path)) if target.split(".")[0] == "evalsuite")
    wrong = [target for target in targets if room_of(target) and not may_import(importer, room_of(target))]
    assert not wrong, f"{name_of(path)} (floor {FLOORS[importer]}) imports {wrong}"


@pytest.mark.parametrize("path", [path for path in MODULES if not is_network(path)], ids=name_of)
def test_torch_is_imported_late(path: Path) -> None:
    early = [
        name
        for statement in executed_at_import(parsed(path))
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in imports_of(statement)
    ]
    assert not [name for name in early if name.split(".")[0] in TORCH]


def test_packages_re_export_nothing() -> None:
    """The root has the public API, and an adapter made of many files is its own package."""
    filled = {path.parent for path in MODULES if path.name == "__init__.py" and path.read_text("utf-8").strip()}
    assert filled <= {PACKAGE, *(PACKAGE / "models" / name for name in ("zoo", "diffusers", "endpoint"))}


def test_scripts_stay_apart() -> None:
    scripts = {name_of(path) for path in SCRIPTS}
    others = (path for path in MODULES if path.parent != PACKAGE / "models" / "zoo" or path.name == "__init__.py")
    assert not [path for path in others if scripts & set(imports_of(parsed(path)))]


def test_reports_know_their_own_contract_only() -> None:
    seen = {name for path in (PACKAGE / "reports").rglob("*.py") for name in imports_of(parsed(path))}
    assert not [name for name in seen if room_of(name) == "contract" and "evalsuite.reports." not in name]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_its_purpose(path: Path) -> None:
    tree = parsed(path)
    assert not tree.body or ast.get_docstring(tree), f"{name_of(path)} has no docstring"


@pytest.mark.parametrize(
    "statement",
    [
        "import evalsuite",
        "import evalsuite.cli.main",
        "import evalsuite.session",
        "from evalsuite import plugins as p; [p.find(room, name) for room in p.KINDS for name in p.names(room)]",
    ],
)
def test_light_imports(statement: str) -> None:
    """None of these needs torch: not the CLI, not a run that finds everything in the cache, not listing plug-ins."""
    assert not loaded_by(statement) & TORCH


def test_the_command_line_starts_light() -> None:
    assert not loaded_by("import evalsuite.cli.main") & {
        *TORCH,
        "pandas",
        "scipy",
        "matplotlib",
        "numpy",
        "safetensors",
    }


def loaded_by(statement: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


class TestTheRules:
    """The checks themselves, on answers that are known."""

    @pytest.mark.parametrize(
        ("importer", "imported", "allowed"),
        [
            ("metrics", "contract", True),
            ("metrics", "records", True),
            ("metrics", "metrics", True),
            ("metrics", "stats", True),
            ("metrics", "features", False),
            ("pipeline", "metrics", True),
            ("pipeline", "compare", False),
            ("compare", "pipeline", False),
            ("compare", "stats", True),
            ("reports", "compare", False),
            ("reports", "records", True),
            ("records", "errors", True),
            ("records", "store", False),
            ("contract", "records", True),
            ("contract", "metrics", False),
            ("suite", "stats", False),
            ("suite", "contract", True),
            ("cli", "session", True),
            ("session", "cli", False),
        ],
    )
    def test_may_import(self, importer: str, imported: str, allowed: bool) -> None:
        assert may_import(importer, imported) is allowed

    def test_imports_of_finds_imports_in_functions(self) -> None:
        tree = ast.parse(
            "import a\ndef f():\n    from evalsuite.metrics import fid\nfrom evalsuite.records import Case"
        )
        assert set(imports_of(tree)) == {"a", "evalsuite.metrics.fid", "evalsuite.records"}

    def test_executed_at_import_leaves_functions_and_type_checking_out(self) -> None:
        source = "import a\ndef f():\n    import b\nif TYPE_CHECKING:\n    import c\nclass D:\n    import e\n"
        early = [s for s in executed_at_import(ast.parse(source)) if isinstance(s, ast.Import)]
        assert sorted(alias.name for s in early for alias in s.names) == ["a", "e"]
