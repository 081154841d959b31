"""A PNG picture: what its chunks say, and the colours that fill more than a speck of it."""

import io
import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
# Pixels: a dot of a legend has more; fewer may come of edges where two other colours mix.
SPECK = 25


def read_png(data: bytes) -> Iterator[tuple[str, set[tuple[int, int, int]]]]:
    """Text of every chunk that is not the picture itself, and its colours.

    Raises
    ------
    ValueError
        If it is not a PNG picture.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError("no signature of PNG")
    yield "", _colours(data)
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind not in PICTURE:
            yield _text(kind, data[at + 8 : at + 8 + size]), set()
        at += size + 12
    yield data[at:].decode("latin-1"), set()


def _text(kind: bytes, body: bytes) -> str:
    text = body.decode("latin-1")
    if kind in (b"zTXt", b"iTXt"):
        for start in range(len(body)):  # the compressed part follows words of unknown length
            if body[start : start + 1] == b"\x78":
                try:
                    return f"{text} {zlib.decompress(body[start:]).decode('utf-8', errors='replace')}"
                except zlib.error:
                    continue
        text = f"{text} {body.decode('utf-8', errors='replace')}"
    return text.replace("\0", " ")


def _colours(data: bytes) -> set[tuple[int, int, int]]:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        levels = np.asarray(picture.convert("RGB"), dtype=np.uint32)
    packed = (levels[..., 0] << 16) | (levels[..., 1] << 8) | levels[..., 2]
    values, counts = np.unique(packed, return_counts=True)
    often = values[counts >= SPECK]
    return {(int(each) >> 16, (int(each) >> 8) & 255, int(each) & 255) for each in often}
