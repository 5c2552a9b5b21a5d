"""Writes the seeds of the fuzz target: tiny pictures of every form that Pillow can write, and some that it cannot.

    python seeds.py             rewrites corpus/ (Pillow 13)

Files that fuzzing has found stay: their names begin with `found_`.
"""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, PngImagePlugin

FOLDER = Path(__file__).resolve().parent / "corpus" / "decode"


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed in FOLDER.iterdir():
        if not seed.name.startswith("found_"):
            seed.unlink()
    for name, data in {**jpegs(), **pngs()}.items():
        (FOLDER / name).write_bytes(data)


def picture(mode="RGB", size=(19, 11)):
    """Smooth, and no turning or mirroring leaves it as it was."""
    colours = [(200 - 5 * x, 150 + 6 * y, 120 + 2 * x + 3 * y) for y in range(size[1]) for x in range(size[0])]
    image = Image.new("RGB", size)
    image.putdata(colours)
    return image.convert(mode)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpegs():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    plain = encoded(picture(), "JPEG", quality=80, subsampling=0)
    return {
        "jpeg_444": plain,
        "jpeg_420": encoded(picture(), "JPEG", quality=60, subsampling=2),
        "jpeg_422": encoded(picture(), "JPEG", quality=60, subsampling=1),
        "jpeg_grey": encoded(picture("L"), "JPEG", quality=70),
        "jpeg_progressive": encoded(picture(), "JPEG", quality=70, progressive=True),
        "jpeg_progressive_grey": encoded(picture("L"), "JPEG", quality=70, progressive=True, optimize=True),
        "jpeg_restart": encoded(picture(), "JPEG", quality=70, restart_marker_blocks=1),
        "jpeg_cmyk": encoded(picture("CMYK"), "JPEG", quality=50),
        "jpeg_turned": encoded(picture(), "JPEG", quality=70, exif=exif, comment=b"note", dpi=(72, 72)),
        "jpeg_cut": plain[: len(plain) // 2],
        "jpeg_followed": plain + b"<html>",
    }


def pngs():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "drawn")
    text.add_itxt("Title", "drawn", zip=True)
    rgb = encoded(picture(), "PNG")
    return {
        "png_rgb": rgb,
        "png_grey": encoded(picture("L"), "PNG"),
        "png_bits": encoded(picture("1"), "PNG"),
        "png_palette": encoded(picture("P"), "PNG", bits=4),
        "png_alpha": encoded(picture("RGBA"), "PNG"),
        "png_grey_alpha": encoded(picture("LA"), "PNG"),
        "png_16_bits": encoded(Image.new("I;16", (9, 7), 40000), "PNG"),
        "png_text": encoded(picture(), "PNG", pnginfo=text, icc_profile=b"no profile", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
        "png_animated": encoded(picture(), "PNG", save_all=True, append_images=[picture("L").convert("RGB")]),
        "png_cut": rgb[: len(rgb) // 2],
        "png_interlaced": interlaced(),
        "png_claims_much": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)),
    }


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def interlaced():
    """Adam7 on 8 x 8 grey pixels: seven passes of (rows, columns)."""
    passes = [(1, 1), (1, 1), (1, 2), (2, 2), (2, 4), (4, 4), (4, 8)]
    rows = b"".join(b"\0" + bytes(range(10, 10 + columns)) for count, columns in passes for _ in range(count))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    main()
