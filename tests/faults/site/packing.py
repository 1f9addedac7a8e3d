"""Faults of packing: bombs, and what is cut, mixed up or not packed at all."""

import gzip
import zlib

import brotli
from backports import zstd

from tests.faults.site.faults import fault, html

ZEROS = b"\0" * (1 << 20)
MEGABYTES = 100


def gzip_of(megabytes: int) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(ZEROS) for _ in range(megabytes)) + packer.flush()


def deflate_of(megabytes: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(ZEROS) for _ in range(megabytes)) + packer.flush()


def brotli_of(megabytes: int) -> bytes:
    packer = brotli.Compressor(quality=1)
    return b"".join(packer.process(ZEROS) for _ in range(megabytes)) + packer.finish()


def zstd_of(megabytes: int) -> bytes:
    packer = zstd.ZstdCompressor()
    return b"".join(packer.compress(ZEROS) for _ in range(megabytes)) + packer.flush()


def encoded(body: bytes, encoding: str) -> bytes:
    return html(body, f"Content-Encoding: {encoding}")


@fault("DOWNLOAD_MAXSIZE")
def bomb_gzip(_: bytes) -> bytes:
    """100 MiB of zeros in gzip."""
    return encoded(gzip_of(MEGABYTES), "gzip")


@fault("DOWNLOAD_MAXSIZE")
def bomb_gzip_in_gzip(_: bytes) -> bytes:
    """The same packed twice."""
    return encoded(gzip.compress(gzip_of(MEGABYTES)), "gzip, gzip")


@fault("DOWNLOAD_MAXSIZE")
def bomb_deflate(_: bytes) -> bytes:
    """100 MiB of zeros in deflate."""
    return encoded(deflate_of(MEGABYTES), "deflate")


@fault("DOWNLOAD_MAXSIZE")
def bomb_brotli(_: bytes) -> bytes:
    """100 MiB of zeros in Brotli."""
    return encoded(brotli_of(MEGABYTES), "br")


@fault("DOWNLOAD_MAXSIZE")
def bomb_zstd(_: bytes) -> bytes:
    """100 MiB of zeros in Zstandard."""
    return encoded(zstd_of(MEGABYTES), "zstd")


@fault()
def packed_twice(page: bytes) -> bytes:
    """The page in gzip within Brotli."""
    return encoded(brotli.compress(gzip.compress(page), quality=1), "gzip, br")


@fault("cut off")
def gzip_cut(page: bytes) -> bytes:
    """Half of the page in gzip."""
    packed = gzip.compress(page)
    return encoded(packed[: len(packed) // 2], "gzip")


@fault("cut off")
def deflate_cut(page: bytes) -> bytes:
    """Half of the page in deflate."""
    packed = zlib.compress(page)
    return encoded(packed[: len(packed) // 2], "deflate")


@fault("cut off")
def brotli_cut(page: bytes) -> bytes:
    """Half of the page in Brotli."""
    packed = brotli.compress(page, quality=1)
    return encoded(packed[: len(packed) // 2], "br")


@fault("no known page design")
def zstd_cut(page: bytes) -> bytes:
    """Half of the page in Zstandard."""
    packed = zstd.compress(page)
    return encoded(packed[: len(packed) // 2], "zstd")


@fault("cut off")
def gzip_corrupt(page: bytes) -> bytes:
    """Gzip with wrong bytes in the middle."""
    packed = bytearray(gzip.compress(page))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = b"\xff" * 50
    return encoded(bytes(packed), "gzip")


@fault()
def gzip_with_a_tail(page: bytes) -> bytes:
    """Gzip, and garbage behind it."""
    return encoded(gzip.compress(page) + b"garbage", "gzip")


@fault()
def gzip_in_two_members(page: bytes) -> bytes:
    """Gzip of two members."""
    return encoded(gzip.compress(page[:5000]) + gzip.compress(page[5000:]), "gzip")


@fault("Not a gzipped file")
def packed_in_name_only(page: bytes) -> bytes:
    """Said to be gzip, and is not packed."""
    return encoded(page, "gzip")


@fault()
def packing_unknown(page: bytes) -> bytes:
    """Said to be packed in a way that there is not, and is not packed."""
    return encoded(page, "quantum")


@fault("no known page design")
def packed_in_secret(page: bytes) -> bytes:
    """Gzip, and no header says so."""
    return html(gzip.compress(page))
