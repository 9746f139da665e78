"""Constants that stand in a file beside the module: read, but never outside of the module's folder.

    {-# external_resources: { tir: { w: "weights/w.npy" } } #-}

The path is relative, and each of its parts is opened without following links, so that neither `..`, nor a link, nor a
swap during the reading leads outside. Only regular files with one name are read, and only of the size that is expected.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path, PurePosixPath

from tir.ir.attributes import MAX_CONSTANT_BYTES, DenseAttr
from tir.ir.errors import TirError
from tir.ir.types import ShapedType, dtype_of
from tir.lazy import np

__all__ = ["read_constant"]

MAX_HEADER_BYTES = 1 << 16  # what an .npy file may have besides its data
PARTS_LIMIT = 32


def read_constant(folder: Path, name: str, type: ShapedType) -> DenseAttr:
    """The elements in the side file `name`: an `.npy` file, else little-endian bytes in row-major order.

    TirError if the path leaves the folder, the file is no regular one, or size, dtype or shape do not fit the type.
    """
    row = dtype_of(type.element)
    size_bytes = type.count * row.size_bytes
    if size_bytes > MAX_CONSTANT_BYTES:
        raise TirError(f"side file {name!r}: a constant has at most {MAX_CONSTANT_BYTES} bytes, {type} needs {size_bytes}")
    if not name.endswith(".npy"):
        data = _read(folder, name, size_bytes)
        if len(data) != size_bytes:
            raise TirError(f"side file {name!r}: {type} needs {size_bytes} bytes, the file has {len(data)}")
        return DenseAttr(type, data)
    array = _array(name, _read(folder, name, size_bytes + MAX_HEADER_BYTES))
    if row.numpy is None or array.dtype != np.dtype(row.numpy) or array.shape != type.static_shape:
        need = f"{row.numpy} of shape {list(type.static_shape)}"
        have = f"{array.dtype} of shape {list(array.shape)}"
        raise TirError(f"side file {name!r}: {type} needs {need}, the file has {have}")
    return DenseAttr(type, np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())


def _array(name: str, data: bytes):  # noqa: ANN202
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # numpy reads a header that a stranger wrote: whatever it says, the file is wrong
        raise TirError(f"side file {name!r}: not an .npy file of numbers: {error}") from None


def _read(folder: Path, name: str, limit: int) -> bytes:
    """The bytes of a regular file below the folder; at most `limit`, one more tells that there are more."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or "\0" in name or ".." in parts or len(parts) > PARTS_LIMIT:
        raise TirError(f"side file {name!r}: must be a relative path inside the folder of the module")
    opened: list[int] = []
    try:
        opened.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        for part in parts[:-1]:
            opened.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        # O_NONBLOCK: opening a pipe must not wait for a writer.
        opened.append(os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened[-1]))
        facts = os.fstat(opened[-1])
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise TirError(f"side file {name!r}: must be a regular file with one name")
        if facts.st_size > limit:
            raise TirError(f"side file {name!r}: at most {limit} bytes are expected, the file has {facts.st_size}")
        with os.fdopen(opened.pop(), "rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        why = "links are not followed" if error.errno in (errno.ELOOP, errno.ENOTDIR) else error.strerror
        raise TirError(f"side file {name!r}: cannot be read: {why}") from None
    finally:
        for descriptor in opened:
            os.close(descriptor)


