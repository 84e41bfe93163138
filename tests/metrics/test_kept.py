from dataclasses import dataclass

import numpy as np

from evalsuite.metrics._kept import kept


@dataclass(frozen=True)
class Pair:
    array: np.ndarray
    name: str


def counted(most):
    calls = []

    @kept(most)
    def total(array, factor):
        calls.append(factor)
        return array.sum() * factor

    return total, calls


def test_equal_content_is_computed_once():
    total, calls = counted(4)
    array = np.arange(6.0)
    assert total(array, 2) == total(array.copy(), 2) == total(array.reshape(2, 3)[:, :].reshape(6), 2) == 30
    assert len(calls) == 1


def test_another_value_shape_type_or_argument_is_something_else():
    total, calls = counted(9)
    array = np.arange(6)
    for other in (array, array + 1, array.reshape(2, 3), array.astype(np.int32), array[::-1], np.zeros(0)):
        total(other, 1)
    total(array, 2)
    assert len(calls) == 7


def test_arguments_by_name_and_arrays_in_dataclasses_count():
    total, calls = counted(9)
    for factor in (1, 2, 1):
        total(np.ones(2), factor=factor)
    assert calls == [1, 2]
    seen = []
    look = kept(9)(lambda pair: seen.append(pair))
    for value in (1.0, 2.0, 1.0):
        look(Pair(np.full(3, value), "same"))
    assert len(seen) == 2


def test_the_results_not_used_for_longest_go_first():
    total, calls = counted(2)
    arrays = [np.full(3, value) for value in range(3)]
    for index in (0, 1, 0, 2, 0, 1):
        total(arrays[index], index)
    assert calls == [0, 1, 2, 1]
