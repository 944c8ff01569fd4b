"""Files that strangers may write: read whole from a regular file, never through a link."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TOO_LARGE = "too_large"
_CHUNK_BYTES = 64 * 1024


class FileNotRead(OSError):
    """There is no plain file of a size we take; `reason` is one of no_plain_file, too_large."""

    code = "file_not_read"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_whole(path: Path, bytes_max: int) -> bytes:
    """Return the content of a plain file.

    What is looked at is what is read: nobody can put a link or a longer file there in between.

    Raises:
        FileNotFoundError: there is none.
        FileNotRead: it is a link, a pipe or a folder, or it is too long.
    """
    with _opened(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise FileNotRead(TOO_LARGE)
    return content


def copy_into(path: Path, copy: BinaryIO, bytes_max: int) -> None:
    """Copy a plain file chunk by chunk, so that what is checked afterwards is what is read.

    Raises:
        FileNotFoundError: there is none.
        FileNotRead: it is a link, a pipe or a folder, or it is too long.
    """
    with _opened(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            copy.write(chunk)
            if copy.tell() > bytes_max:
                raise FileNotRead(TOO_LARGE)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # A pipe that nobody writes to must not hold us up.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileNotRead("no_plain_file") from error
    with open(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise FileNotRead("no_plain_file")
        yield file


def is_real_folder(path: Path) -> bool:
    """Tell whether this is a folder, and not a link to one."""
    return path.is_dir() and not path.is_symlink()


def shown(name: str) -> str:
    """Return the name of a file as text, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")
