import base64
import struct
import zlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from grokscope.reports.figures.maps import image_address


def decode(address: str) -> np.ndarray:
    """Red, green and blue of each pixel, top row first, read by hand."""
    kind, data = address.split(",")
    assert kind == "data:image/png;base64"
    png = base64.b64decode(data)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        check = struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        assert zlib.crc32(name + body) == check
        chunks[name] = body
        at += 12 + length
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour) == (8, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert (lines[:, 0] == 0).all()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]


GREYS = ("#000000", "#ffffff")


def test_x_goes_right_and_y_goes_up() -> None:
    values = np.zeros((3, 3))
    values[2, 0] = 1  # x = 2, y = 0: the lower right corner
    pixels = decode(image_address(values, 0, 1, GREYS))
    expected = np.zeros((3, 3, 3))
    expected[2, 2] = 255
    assert_array_equal(pixels, expected)


def test_colours_are_even_between_low_and_high_and_clipped_outside() -> None:
    values = np.array([[-5.0, 0.0], [2.0, 9.0]])
    pixels = decode(image_address(values, 0, 4, GREYS))[..., 0]
    # columns are x, rows y downwards from 1
    assert pixels[1, 0] == 0
    assert pixels[0, 0] == 0
    assert abs(int(pixels[1, 1]) - 127) <= 2
    assert pixels[0, 1] == 255


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_map_with_an_empty_range_is_drawn(value: float) -> None:
    pixels = decode(image_address(np.full((2, 2), value), value, value))
    assert_array_equal(pixels, np.broadcast_to([0x44, 0x01, 0x54], (2, 2, 3)))


def test_the_last_colour_is_that_of_the_scale() -> None:
    pixels = decode(image_address(np.ones((1, 1)), 0, 1))
    assert_array_equal(pixels[0, 0], [0xFD, 0xE7, 0x25])


def test_numbers_that_are_not_finite_get_the_colours_of_the_ends() -> None:
    pixels = decode(image_address(np.array([[np.nan, np.inf], [-np.inf, 0.0]]), 0, 1))
    # x to the right and y upwards: row 0 is y = 1
    assert_array_equal(pixels[0, 0], [0xFD, 0xE7, 0x25])
    assert_array_equal(pixels[1, 0], pixels[1, 1])
