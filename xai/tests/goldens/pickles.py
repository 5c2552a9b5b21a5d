"""Writes small checkpoints as PyTorch writes them, and what is in them. See README.md.

    python pickles.py           rewrites pickles/

`pickles/contents.json` says of every file either its tensors, each with its kind of number, its shape and the SHA-256 of its
numbers in order, or the reason for which it must be refused. What is expected comes from the tensors before they are saved.
"""

import argparse
import hashlib
import io
import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).resolve().parent / "pickles"
KINDS = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(7)
    FOLDER.mkdir(exist_ok=True)
    contents = {}
    for name, (saved, expected, options) in (readable() | refused()).items():
        file = FOLDER / f"{name}.pth"
        save_script(saved, file) if isinstance(saved, torch.jit.ScriptModule) else torch.save(saved, file, **options)
        contents[file.name] = expected if isinstance(expected, str) else {key: told(tensor) for key, tensor in expected.items()}
    without_checksums(contents)
    (FOLDER / "contents.json").write_text(json.dumps(contents, indent=1) + "\n")


def readable():
    """Name: what is saved, the tensors it holds, how it is saved."""
    state = small_state()
    nested = {
        "epoch": 3,
        "global_step": 10**12,
        "pytorch-lightning_version": "2.0.0",
        "state_dict": state,
        "callbacks": {"best": None, "scores": [0.5, (1, True)]},
        "hyper_parameters": argparse.Namespace(lr=1e-4, name="vit"),
    }
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    trained = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "best": np.float64(0.75), "size": torch.Size([3, 4])}
    parallel = torch.nn.DataParallel(network).state_dict()
    parameters = {"weight": torch.nn.Parameter(torch.randn(2, 3)), "device": torch.device("cpu"), "kind": torch.float16}
    empty = {"cls_token": torch.zeros(0, 4), "weight": torch.randn(3)}
    both = {"student": small_state(), "teacher": small_state()}
    return {
        "protocol_2": (state, state, {}),
        "protocol_4": (state, state, {"pickle_protocol": 4}),
        "protocol_5": (nested, state, {"pickle_protocol": 5}),
        "nested": (nested, state, {}),
        "with_optimizer": (trained, trained["model"], {}),
        "data_parallel": ({"net": {"state_dict": parallel}}, parallel, {}),
        "parameters": (parameters, {"weight": parameters["weight"].detach()}, {}),
        "kinds": (all_kinds(), all_kinds(), {}),
        "views": (views(), views(), {}),
        "empty_tensor": (empty, empty, {}),
        "two_state_dicts": (both, "ambiguous", {}),
    }


def small_state():
    return {"blocks.0.weight": torch.randn(4, 6), "blocks.0.bias": torch.randn(4), "scale": torch.tensor(0.5)}


def all_kinds():
    """The same numbers in every kind."""
    numbers = torch.tensor([[0.0, 1.0, 3.0], [100.0, 7.0, 2.0]])
    return {f"as_{kind.lower()}": numbers.to(dtype) for dtype, kind in KINDS.items()}


def views():
    """One storage of 60 numbers, seen in many ways; and tied weights."""
    whole = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    tied = torch.arange(6, dtype=torch.float16)
    return {
        "whole": whole,
        "transposed": whole.transpose(0, 2),
        "permuted": whole.permute(1, 2, 0),
        "sliced": whole[1:, ::2, 1:4],
        "row": whole[2, 3],
        "column": whole[:, 1, 4],
        "last": whole[2, 3, 4],
        "tied": tied,
        "tied_too": tied,
        "half": tied[3:],
    }


def refused():
    """Name: what is saved, the reason, how it is saved."""
    plain = torch.randn(4, 4)
    module = torch.nn.Linear(2, 2)
    script = torch.jit.script(module)
    return {
        "legacy": (small_state(), "legacy-format", {"_use_new_zipfile_serialization": False}),
        "whole_module": (module, "pickled-module", {}),
        "torchscript": (script, "torchscript", {}),
        "sparse": ({"weight": plain.to_sparse()}, "unsupported-tensor", {}),
        "quantised": ({"weight": torch.quantize_per_tensor(plain, 0.1, 0, torch.qint8)}, "unsupported-tensor", {}),
        "complex": ({"weight": plain.to(torch.complex64)}, "unsupported-tensor", {}),
        "float8": ({"weight": plain.to(torch.float8_e4m3fn)}, "unsupported-tensor", {}),
        "broadcast": ({"weight": torch.randn(1, 4).expand(1000, 4)}, "unsupported-tensor", {}),
        "windows": ({"weight": torch.randn(10).as_strided((8, 3), (1, 1))}, "unsupported-tensor", {}),
        "empty_dict": ({}, "no-tensors", {}),
        "only_settings": ({"epoch": 3, "state_dict": {}}, "no-tensors", {}),
        "list": ([plain], "no-tensors", {}),
        "numbered": ({0: plain}, "bad-name", {}),
        "date": ({"weight": plain, "when": np.datetime64("2024-01-01").astype(object)}, "forbidden-global", {}),
    }


def without_checksums(contents):
    state = small_state()
    torch.serialization.set_crc32_options(False)
    torch.save(state, FOLDER / "no_checksums.pth")
    torch.serialization.set_crc32_options(True)
    contents["no_checksums.pth"] = {key: told(tensor) for key, tensor in state.items()}


def save_script(script, file):
    """Without the members that name the library's folder on this machine."""
    torch.jit.save(script, str(file))
    archive = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
    with zipfile.ZipFile(file, "w") as kept:
        for member in archive.infolist():
            if not member.filename.endswith(".debug_pkl"):
                kept.writestr(member, archive.read(member))


def told(tensor):
    """Little-endian numbers in row-major order."""
    flat = tensor.contiguous().reshape(-1)
    numbers = flat.clone().view(torch.uint8).numpy().tobytes()
    return {"dtype": KINDS[tensor.dtype], "shape": list(tensor.shape), "sha256": hashlib.sha256(numbers).hexdigest()}


if __name__ == "__main__":
    main()
