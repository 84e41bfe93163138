"""The last results of a costly function, kept by the content of its arrays.

All models of a run are measured against the same few reference sets, so what follows from a reference alone is worth
keeping. The key is a digest: the arrays themselves are neither copied nor held.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def kept(most: int) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Keep the last ``most`` results of a pure function of arrays, dataclasses of arrays, and hashable values."""

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        results: OrderedDict[Hashable, Result] = OrderedDict()

        @wraps(function)
        def with_memory(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            named = ((name, _digest(argument)) for name, argument in sorted(kwargs.items()))
            key = (*map(_digest, args), *named)
            if key not in results:
                results[key] = function(*args, **kwargs)
                while len(results) > most:
                    results.popitem(last=False)
            results.move_to_end(key)
            return results[key]

        return with_memory

    return decorate


def _digest(argument: Any) -> Hashable:
    if isinstance(argument, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(argument).data).hexdigest()
        return argument.shape, argument.dtype.str, content
    if is_dataclass(argument):
        return tuple(_digest(getattr(argument, field.name)) for field in fields(argument))
    return argument  # type: ignore[no-any-return]
