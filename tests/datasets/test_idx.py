import gzip
import struct

import numpy as np
import pytest

from evalsuite.datasets._idx import read_idx


def write(path, header, data=b""):
    path.write_bytes(gzip.compress(header + data))
    return path


def test_shape_and_values_follow_the_header(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    header = b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 4)
    np.testing.assert_array_equal(read_idx(write(tmp_path / "a.gz", header, values.tobytes())), values)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"\0\0\x0d\x01" + struct.pack(">I", 1), "not an IDX file of unsigned bytes"),
        (b"\0\0", "not an IDX file of unsigned bytes"),
        (b"\0\0\x08\x01" + struct.pack(">I", 5), "holds 3 bytes"),
    ],
)
def test_what_is_no_idx_file_of_bytes_is_refused(tmp_path, header, message):
    with pytest.raises(ValueError, match=message):
        read_idx(write(tmp_path / "a.gz", header, b"abc" if len(header) > 4 else b""))


def test_a_header_cut_short_is_refused(tmp_path):
    with pytest.raises(ValueError, match="header"):
        read_idx(write(tmp_path / "a.gz", b"\0\0\x08\x03\0\0"))
