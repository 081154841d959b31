"""A pack for the committee, locked with a passphrase: an archive that 7-Zip, WinZip and Keka open.

Every file in it is encrypted and authenticated by AES-256 as in the ZIP format's own extension (WinZip AE-2).
Names of files stay readable, as in every such archive; those of outputs tell nothing. The key is made of the
passphrase in 1,000 rounds only, by the format's definition, so that a short one could be guessed.
"""

import io
from collections.abc import Mapping

from analysis.errors import CommandError

# Characters: six words drawn from a list of 7,776 have more, and 77 bits that no guessing exhausts.
SHORTEST = 20
DISTINCT = 8
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # no clock: an archive must say some time for each file


def check_passphrase(passphrase: str) -> None:
    """Refuse a passphrase that could be guessed.

    Raises
    ------
    CommandError
        Saying what is asked of one, never the passphrase.
    """
    if len(passphrase) < SHORTEST or len(set(passphrase)) < DISTINCT:
        raise CommandError(
            f"the passphrase has fewer than {SHORTEST} characters, or fewer than {DISTINCT} different ones; "
            "draw six words at random."
        )


def seal(files: Mapping[str, bytes], passphrase: str) -> bytes:
    """An encrypted archive of files by their names, checked by being opened again.

    Raises
    ------
    CommandError
        If the passphrase could be guessed.
    """
    import pyzipper

    check_passphrase(passphrase)
    stream = io.BytesIO()
    key = passphrase.encode("utf-8")
    with pyzipper.AESZipFile(
        stream, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(key)
        for name, content in sorted(files.items()):
            entry = archive.zipinfo_cls(name, FIRST_DAY)
            entry.compress_type = pyzipper.ZIP_DEFLATED
            archive.writestr(entry, content)
    with pyzipper.AESZipFile(io.BytesIO(stream.getvalue())) as archive:
        archive.setpassword(key)
        if {name: archive.read(name) for name in archive.namelist()} != dict(files):
            raise CommandError("the archive does not give back what was put into it; nothing was written.")
    return stream.getvalue()
