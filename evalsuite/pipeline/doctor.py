"""What this machine can measure, and what is missing for the rest: every plug-in is asked itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from typing import Any, Literal, NamedTuple, get_args, get_origin

from evalsuite import weights
from evalsuite.errors import CellError, StoreError
from evalsuite.files import write_atomically
from evalsuite.pipeline.environment import version_of
from evalsuite.pipeline.hardware import Check, Machine
from evalsuite.plugins import KINDS, Room, find, names
from evalsuite.scenarios._meters import meter_of
from evalsuite.store import Store

FOR_DEVELOPERS = ("test", "dev")
"""Extras that unlock nothing for a user."""

MEMORY_TRIED = 1 << 30
"""A memory limit that every target could keep if it can keep any."""


@dataclass(frozen=True)
class Section:
    """Checks of one subject."""

    title: str
    checks: tuple[Check, ...]


def examine(store: Store) -> list[Section]:
    """Look at everything; nothing is loaded, and nothing is downloaded."""
    needs = _requirements()
    return [
        Section("machine", tuple(Machine().checks())),
        Section("targets", tuple(_target(find("targets", name)) for name in names("targets"))),
        Section("energy counters", tuple(_energy())),
        Section("extractors", tuple(_plugin(name, find("features", name)) for name in names("features"))),
        Section("datasets", tuple(_plugin(name, find("datasets", name)) for name in names("datasets"))),
        Section("weights", tuple(_weights(name, public) for name, public in weights.PUBLIC.items())),
        Section("packages", (_core(needs), *_extras(needs))),
        Section("cache", (_cache(store),)),
    ]


def is_broken(sections: Sequence[Section]) -> bool:
    """Whether nothing can be measured here."""
    return any(check.state == "broken" for section in sections for check in section.checks)


# --- plug-ins ------------------------------------------------------------------------------------------------------


def _target(kind: Any) -> Check:
    """A device as it is without settings, then with each of its options alone."""
    plain = kind()
    reason = plain.unavailable_reason()
    if reason is not None:
        return Check(kind.device, "broken" if kind.device == "cpu" else "missing", reason)
    refused: dict[str, list[str]] = {}
    able = []
    for option in _options(kind):
        [(name, value)] = option.items()
        words = str(value) if isinstance(value, str) else name
        lack = kind.model_validate(option).unavailable_reason()
        if lack is None:
            able.append(words)
        else:
            refused.setdefault(lack, []).append(words)
    finding = ", ".join(f"{value}" for key, value in plain.hardware().items() if key not in ("device", "cores"))
    lacks = "; ".join(f"without {', '.join(words)}: {lack}" for lack, words in refused.items())
    return Check(kind.device, "limited" if lacks else "good", f"{finding}; {', '.join(able)}", lacks)


def _options(kind: Any) -> Iterator[dict[str, Any]]:
    """Each choice of each setting that is a choice, other than the default; and a memory limit."""
    for name, field in kind.model_fields.items():
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        choices = (True, False) if field.annotation is bool else choices
        yield from ({name: choice} for choice in choices if choice != field.default)
    if "memory_limit" in kind.model_fields:
        yield {"memory_limit": MEMORY_TRIED}


def _energy() -> Iterator[Check]:
    """The counters of every device that is here."""
    targets = [find("targets", name)() for name in names("targets")]
    here = [target.torch_device for target in targets if target.unavailable_reason() is None]
    for device in dict.fromkeys(device.partition(":")[0] for device in here):
        try:
            parts = meter_of(device).read()
        except CellError as error:
            yield Check(device, "missing", "energy cannot be measured", str(error))
        else:
            yield Check(device, "good", f"counts {', '.join(parts)}")


def _plugin(name: str, plugin: Any) -> Check:
    """Whether its files and packages are there: only then does it have a fingerprint."""
    required = [field for field, info in plugin.model_fields.items() if info.is_required()]
    if required:
        return Check(name, "good", f"needs settings: {', '.join(required)}")
    try:
        plugin().fingerprint()
    except CellError as error:
        return Check(name, "missing", "unavailable", str(error))
    return Check(name, "good", "available")


# --- files and packages --------------------------------------------------------------------------------------------


def _weights(name: str, public: weights.PublicFile) -> Check:
    if (weights.folder() / public.filename).is_file():
        return Check(name, "good", f"in {weights.folder()}, for {public.used_for}")
    return Check(name, "missing", f"not here; for {public.used_for}", f"evalsuite weights fetch {name}")


class Requirement(NamedTuple):
    """A package that evalsuite needs, always (``extra`` is "") or for one of its extras."""

    package: str
    extra: str


def _requirements() -> list[Requirement] | None:
    """What the installed evalsuite declares; None where it is not installed, but run from its sources."""
    try:
        return [requirement_of(line) for line in requires("evalsuite") or ()]
    except PackageNotFoundError:
        return None


def requirement_of(line: str) -> Requirement:
    """``lpips>=0.1.4; extra == "lpips"`` -> its package and its extra."""
    package, extra = re.match(r"[A-Za-z0-9._-]+", line), re.search(r"""extra\s*==\s*["']([^"']+)["']""", line)
    return Requirement(package[0] if package else line, extra[1] if extra else "")


def _core(needs: list[Requirement] | None) -> Check:
    if needs is None:
        advice = "install it with: pip install -e . (in its folder)"
        return Check("evalsuite", "limited", "run from its sources, without knowledge of what it needs", advice)
    absent = [need.package for need in needs if not need.extra and version_of(need.package) is None]
    if absent:
        return Check("evalsuite", "broken", f"lacks {', '.join(absent)}", "pip install evalsuite does it")
    return Check("evalsuite", "good", f"{version_of('evalsuite')}, with PyTorch {version_of('torch')}")


def _extras(needs: list[Requirement] | None) -> Iterator[Check]:
    """The extras that users may install, with the plug-ins that name them."""
    unlocked: dict[str, list[str]] = {}
    for room in get_args(Room):
        for name in names(room):
            extra = getattr(find(room, name), "package_extra", None)
            if extra is not None:
                unlocked.setdefault(extra, []).append(f"{KINDS[room]} {name}")
    declared = {need.extra for need in needs or ()} - {"", *FOR_DEVELOPERS}
    for extra in sorted(declared | set(unlocked)):
        packages = [need.package for need in needs or () if need.extra == extra]
        absent = [package for package in packages if version_of(package) is None]
        means = f"; for {', '.join(unlocked[extra])}" if extra in unlocked else ""
        if needs is None:
            yield Check(extra, "limited", f"unknown{means}", f"pip install 'evalsuite[{extra}]'")
        elif absent:
            yield Check(extra, "missing", f"lacks {', '.join(absent)}{means}", f"pip install 'evalsuite[{extra}]'")
        else:
            yield Check(extra, "good", f"installed{means}")


def _cache(store: Store) -> Check:
    """Whether it can be written, found out by writing."""
    probe = store.root / ".writable"
    try:
        write_atomically(probe, b"")
        probe.unlink()
        free = shutil.disk_usage(store.root).free
    except (StoreError, OSError) as error:
        return Check("cache", "broken", f"{store.root}: {error}", "choose another with --cache or EVALSUITE_CACHE")
    return Check("cache", "good", f"{store.root}, {free / 1e9:.1f} GB free")
