"""Writes the seeds of the fuzz targets: small files of every form, without checksums that chance could not find.

    python seeds.py             rewrites corpus/ from xai/tests/goldens/pickles

Files that fuzzing has found stay: their names begin with `found_`.
"""

import io
import json
import struct
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDENS = HERE.parent / "tests" / "goldens" / "pickles"
SMALL = ["kinds.pth", "nested.pth", "parameters.pth", "protocol_2.pth", "protocol_5.pth", "torchscript.pth", "views.pth"]


def main():
    for target in ("pth", "pickle", "safetensors"):
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for seed in folder.iterdir():
            if not seed.name.startswith("found_"):
                seed.unlink()
    for file in sorted(GOLDENS.glob("*.pth")):
        if zipfile.is_zipfile(file) and file.stem != "no_checksums":
            members = plain_members(file)
            write("pickle", file.stem, members["data.pkl"])
            if file.name in SMALL:
                write("pth", file.stem, archive(members))
    write("pth", "legacy", (GOLDENS / "legacy.pth").read_bytes()[:200])
    for name, text, numbers in headers():
        write("safetensors", name, struct.pack("<Q", len(text)) + text.encode() + b"\0" * numbers)


def plain_members(file):
    """The members that matter, without the folder around them."""
    with zipfile.ZipFile(file) as read:
        names = {name.split("/", 1)[1]: name for name in read.namelist()}
        wanted = [name for name in names if name in ("data.pkl", "byteorder", "constants.pkl") or name.startswith("data/")]
        return {name: read.read(names[name]) for name in wanted}


def archive(members):
    """Stored one behind the other, every checksum zero, as PyTorch does when told to leave them out."""
    file, directory = io.BytesIO(), b""
    for name, data in members.items():
        name = f"m/{name}".encode()
        told = struct.pack("<HHHIIIIHH", 0, 0x0808, 0, 0, 0, len(data), len(data), len(name), 0)
        directory += b"PK\x01\x02\0\0" + told + bytes(10) + struct.pack("<I", file.tell()) + name
        file.write(b"PK\x03\x04" + told + name + data)
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), file.tell(), 0)
    return file.getvalue() + directory + b"PK\x05\x06" + end


def headers():
    """Name, header and bytes of numbers."""
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    yield "one", json.dumps({"w": tensor}), 8
    yield "metadata", json.dumps({"__metadata__": {"format": "pt"}, "w": tensor}) + "   ", 8
    yield "scalar", json.dumps({"w": tensor | {"shape": [], "data_offsets": [0, 4]}}), 4
    kinds = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1}
    at, entries = 0, {}
    for kind, width in kinds.items():
        entries[kind.lower()] = {"dtype": kind, "shape": [1, 2], "data_offsets": [at, at + 2 * width]}
        at += 2 * width
    yield "kinds", json.dumps(entries), at
    yield "overlap", json.dumps({"v": tensor, "w": tensor | {"data_offsets": [4, 12]}}), 12
    yield "twice", '{"w":' + json.dumps(tensor) + ',"w":' + json.dumps(tensor) + "}", 8
    yield "overflow", json.dumps({"w": tensor | {"shape": [4194305, 4194305, 211106198978564]}}), 8
    yield "vit", json.dumps({"vit.encoder.layer.0.layernorm_before.weight": tensor, "classifier.weight": tensor | {"data_offsets": [8, 16]}}), 16


def write(target, name, data):
    (HERE / "corpus" / target / name).write_bytes(data)


if __name__ == "__main__":
    main()
