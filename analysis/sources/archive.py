"""A zip archive from elsewhere: refused before it is unpacked if it declares to be a bomb."""

import zipfile
from pathlib import Path

from analysis.errors import SourceError

# Python unpacks no part beyond the size that the archive declares for it, so declared sizes can be relied on.
MOST_UNPACKED = 1_000_000_000  # bytes of all parts; the fullest sheet of fifty columns takes about as much
MOST_SQUEEZED = 200  # times a part may grow; sheets grow 5 to 50 times, a bomb of zeros 1000 times
SMALL = 1_000_000  # bytes up to which a part may be squeezed as it likes
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def open_archive(path: Path, *, file: str) -> zipfile.ZipFile:
    """Open an archive for reading.

    Raises
    ------
    SourceError
        If it is none, or unpacks to more than `MOST_UNPACKED` bytes or `MOST_SQUEEZED` times its size.
    """
    try:
        with path.open("rb") as start:
            is_old = start.read(4) == OLD_WORKBOOK
        if is_old:
            raise SourceError(
                f"{file}: a workbook of an old format or with a password; save it as .xlsx without one."
            )
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(f"{file}: not an .xlsx workbook, or damaged.") from error
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}).") from error
    parts = archive.infolist()
    bombs = [
        part
        for part in parts
        if part.file_size > max(SMALL, MOST_SQUEEZED * part.compress_size) or part.file_size < 0
    ]
    if bombs or sum(part.file_size for part in parts) > MOST_UNPACKED:
        archive.close()
        raise SourceError(
            f"{file}: unpacks to more than {MOST_UNPACKED:,} bytes or {MOST_SQUEEZED} times its size; "
            "not an export of a trial."
        )
    return archive
