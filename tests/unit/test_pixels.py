"""Pictures compared: the share of pixels that differ, and the picture of where."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from workflows.evaluation.pixels import WIDTH, NoPicture, compare


def png(width: int = 20, height: int = 10, *dots: tuple[int, int], colour: str = "white", mode: str = "RGB") -> bytes:
    """A picture with black dots."""
    picture = Image.new(mode, (width, height), colour)
    for dot in dots:
        picture.putpixel(dot, 0 if mode == "L" else tuple([0] * 3 + [255] * (mode == "RGBA")))  # type: ignore[arg-type]
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def seen(data: bytes) -> Image.Image:
    """A PNG as it is seen."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_equal_pictures_have_no_pixel_that_differs() -> None:
    assert compare(png(), png()).share == 0


def test_the_share_counts_pixels() -> None:
    assert compare(png(), png(20, 10, (3, 4), (5, 6))).share == 2 / 200


def test_a_pixel_that_only_one_picture_has_differs() -> None:
    assert compare(png(20, 10), png(20, 15)).share == pytest.approx(5 / 15)
    assert compare(png(10, 20), png(20, 10)).share == pytest.approx(3 / 4)


def test_transparency_is_seen_as_white() -> None:
    assert compare(png(colour="#00000000", mode="RGBA"), png()).share == 0
    assert compare(png(mode="L"), png()).share == 0


def test_what_differs_is_red_and_what_does_not_is_faded() -> None:
    marked = seen(compare(png(20, 10, (1, 1)), png(20, 10, (1, 1), (15, 5))).difference)
    assert marked.getpixel((15, 5)) == (214, 39, 40)
    assert marked.getpixel((1, 1)) == (191, 191, 191)


def test_what_is_shown_is_small() -> None:
    found = compare(png(3000, 300), png(3000, 300, (1500, 150)))
    assert [seen(data).size for data in (found.old, found.new, found.difference)] == [(WIDTH, 96)] * 3
    assert min(seen(found.difference).crop((470, 40, 490, 56)).split()[1].getextrema()) < 200


def test_what_is_no_picture_is_refused() -> None:
    for data in (b"", b"GIF", png()[:40], png(300, 300)[:-30]):
        with pytest.raises(NoPicture):
            compare(png(), data)


@pytest.mark.parametrize("size", [(100_000, 100_000), (10_000, 8_000), (10_000, 10_000)])
def test_a_picture_that_claims_to_be_huge_is_not_opened(size: tuple[int, int]) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    bomb = png()[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    with pytest.raises(NoPicture):
        compare(png(), bomb + png()[33:])
