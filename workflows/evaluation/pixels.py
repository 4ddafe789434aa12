"""Two pictures compared pixel by pixel: the share that differs, and a picture of where. Bytes in, small PNGs out."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

LARGEST = 40_000_000
"""Pixels of a picture; one with more is not compared."""
WIDTH = 960
"""Of the pictures that are shown, at most."""
_COLOURS = 128
_MARK = (214, 39, 40)
"""Where pixels differ."""
_FEW = 0.02
"""The share of pixels up to which they are marked thickly."""
_FADED = 0.75
"""How far what does not differ is towards white."""


class NoPicture(ValueError):
    """Bytes that cannot be compared as a picture."""


@dataclass(frozen=True)
class Difference:
    """Two pictures, and how they differ."""

    share: float
    """Of the pixels: 0 to 1. Where one picture has no pixel and the other has, they differ."""
    old: bytes
    """PNG, made small for showing; the others too."""
    new: bytes
    difference: bytes
    """The new picture faded, with what differs marked red."""


def compare(old: bytes, new: bytes) -> Difference:
    """How a picture differs from an older one; raises NoPicture for what is none, or is too large."""
    before, after = opened(old), opened(new)
    size = max(before.width, after.width), max(before.height, after.height)
    if size[0] * size[1] > LARGEST:
        raise NoPicture(f"{size[0]} × {size[1]} pixels are too many")
    mask = _mask(before, after, size)
    return Difference(float(mask.mean()), small(before), small(after), small(_marked(_on_white(after, size), mask)))


def opened(data: bytes) -> Image.Image:
    """A picture on white; raises NoPicture."""
    try:
        with warnings.catch_warnings():
            # A file may say that it is larger than any memory.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as found:
                if found.width * found.height > LARGEST:
                    raise NoPicture(f"{found.width} × {found.height} pixels are too many")
                picture = found.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoPicture(str(error)) from error
    return _on_white(picture, picture.size)


def small(picture: Image.Image) -> bytes:
    """A picture as a PNG of few bytes, not wider than WIDTH."""
    if picture.width > WIDTH:
        picture = picture.resize(
            (WIDTH, max(1, round(picture.height * WIDTH / picture.width))), Image.Resampling.HAMMING
        )
    buffer = io.BytesIO()
    # Cut at the median: the octree is quicker and loses faint bands.
    picture.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT).save(buffer, format="PNG")
    return buffer.getvalue()


def _mask(
    before: Image.Image, after: Image.Image, size: tuple[int, int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which pixels differ, in the size that holds both."""
    mask = np.zeros((size[1], size[0]), dtype=bool)
    for picture in (before, after):
        mask[picture.height :, :] = True
        mask[:, picture.width :] = True
    width, height = min(before.width, after.width), min(before.height, after.height)
    one, two = (np.asarray(picture.convert("RGB"))[:height, :width] for picture in (before, after))
    mask[:height, :width] = (one != two).any(axis=2)
    return mask


def _marked(picture: Image.Image, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Image.Image:
    """A picture faded, with what is masked marked; where that is little, so thickly that it is still seen when it is made small."""
    white = Image.new("RGB", picture.size, "white")
    thick = Image.fromarray(mask.astype(np.uint8) * 255)
    if mask.mean() < _FEW:
        thick = thick.filter(ImageFilter.MaxFilter(3))
    return Image.composite(Image.new("RGB", picture.size, _MARK), Image.blend(picture, white, _FADED), thick)


def _on_white(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    found = Image.new("RGB", size, "white")
    found.paste(picture, (0, 0), picture if picture.mode == "RGBA" else None)
    return found
