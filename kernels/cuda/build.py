"""Compiles every kernel for GPUs with one pinned NVRTC.

    python kernels/cuda/build.py            compiles into kernels/cuda/compiled and writes its budget
    python kernels/cuda/build.py --check    compiles again and fails unless every byte is the same
    … --fetch                               takes NVRTC from .tools/nvrtc, which it makes from the Python package index

NVRTC 12.2 writes PTX 8.2, which every driver from R535 on loads, and the same bytes on every machine.
A module is KERNEL.STORAGE.TARGET. A cubin is loaded by its own architecture, PTX is there for all others; fp16 is what
architectures before sm_80 have in place of bf16. Each module has a symbol that is named after the hash of its source.
budget.tsv tells what every kernel takes on every architecture. None may spill registers: that fails here.
"""

import argparse
import ctypes
import os
import re
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

VERSION = "12.2.140"
HERE = Path(__file__).resolve().parent
COMPILED = HERE / "compiled"
TOOLS = HERE.parents[1] / ".tools" / "nvrtc"
STORAGES = {"f32": "float", "bf16": "bf16", "f16": "f16"}
TARGETS = {
    "f32": ["sm_70.ptx", "sm_80.ptx", "sm_80.cubin", "sm_86.cubin", "sm_89.cubin", "sm_90.cubin"],
    "bf16": ["sm_80.ptx", "sm_80.cubin", "sm_86.cubin", "sm_89.cubin", "sm_90.cubin"],
    "f16": ["sm_70.ptx"],
}
NO_NVRTC = 77  # what the program ends with where NVRTC cannot be had


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is there and write nothing")
    parser.add_argument("--fetch", action="store_true", help="take NVRTC from the Python package index")
    options = parser.parse_args()
    nvrtc = load(fetched() if options.fetch else Path(os.environ.get("PELLUCID_NVRTC", sys.prefix)))
    jobs = [(source, storage, target) for source in sources() for storage in storages(source) for target in TARGETS[storage]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: compile_module(nvrtc, *job), jobs))
    files = {name: module for name, module, _ in results}
    budgets = sorted(line for _, _, budget in results for line in budget)
    files["budget.tsv"] = "\n".join(["module\tkernel\tregisters\tstack\tspilled\tshared", *budgets, ""]).encode()
    refuse_spills(budgets)
    sys.exit(differences(files) if options.check else write(files))


def sources() -> list[Path]:
    return sorted((HERE.parent / "src").glob("*/*.cu"))


def storages(source: Path) -> list[str]:
    """A file names its kinds of storage in a line `// Storage: f32, bf16.`; without one it has all."""
    line = re.search(r"^// Storage: ([\w, ]+)\.$", source.read_text("utf-8"), re.MULTILINE)
    return line[1].split(", ") if line else list(STORAGES)


def module_name(source: Path) -> str:
    """`layer_norm/cuda.cu` is layer_norm, `attention/cuda_map.cu` is attention_map."""
    return source.parent.name + source.stem.removeprefix("cuda")


def headers() -> dict[str, str]:
    """Every header under the names by which kernels and other headers include it."""
    found = sorted(HERE.glob("*.cuh"))
    return {folder + path.name: path.read_text("utf-8") for folder in ["../../cuda/", ""] for path in found}


@cache
def source_hash(source: Path) -> str:
    """FNV-1a of the kernel and of every header, so that a test needs no library to know it."""
    state = 0xCBF29CE484222325
    for byte in (source.read_text("utf-8") + "".join(path.read_text("utf-8") for path in sorted(HERE.glob("*.cuh")))).encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    return f"{state:016x}"


def compile_module(nvrtc, source: Path, storage: str, target: str) -> tuple[str, bytes, list[str]]:
    architecture, kind = target.split(".")
    name = f"{module_name(source)}.{storage}.{target}"
    text = f'{source.read_text("utf-8")}\nextern "C" __device__ unsigned source_{source_hash(source)};\n'
    included = headers()
    program = ctypes.c_void_p()
    array = ctypes.c_char_p * len(included)
    names, texts = array(*(path.encode() for path in included)), array(*(text.encode() for text in included.values()))
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), name.encode(), len(included), texts, names)
    virtual = architecture if kind == "cubin" else architecture.replace("sm", "compute")
    flags = [f"--gpu-architecture={virtual}", "--std=c++17", f"-DSTORAGE={STORAGES[storage]}"]
    flags += ["--ptxas-options=-v"] if kind == "cubin" else []
    status = nvrtc.nvrtcCompileProgram(program, len(flags), (ctypes.c_char_p * len(flags))(*(flag.encode() for flag in flags)))
    log = read(nvrtc, program, "ProgramLog").decode().rstrip("\0")
    if status:
        sys.exit(f"{name} does not compile:\n{log}")
    module = read(nvrtc, program, "PTX" if kind == "ptx" else "CUBIN")
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return name, module.rstrip(b"\0") if kind == "ptx" else module, budget(name, log)


def read(nvrtc, program, what: str) -> bytes:
    size = ctypes.c_size_t()
    getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, f"nvrtcGet{what}")(program, text)
    return text.raw


def budget(module: str, log: str) -> list[str]:
    lines = []
    for part in log.split("Compiling entry function '")[1:]:
        kernel = part.split("'")[0]
        number = lambda pattern: int((re.search(pattern, part) or [0, 0])[1])
        stack, stores, loads = number(r"(\d+) bytes stack"), number(r"(\d+) bytes spill stores"), number(r"(\d+) bytes spill loads")
        numbers = [number(r"Used (\d+) registers"), stack, stores + loads, number(r"(\d+) bytes smem")]
        lines.append("\t".join([module, kernel, *map(str, numbers)]))
    return lines


def refuse_spills(budgets: list[str]) -> None:
    spilled = [line for line in budgets if line.split("\t")[4] != "0"]
    if spilled:
        sys.exit("kernels that spill registers (module, kernel, registers, stack, spilled, shared):\n" + "\n".join(spilled))


def differences(files: dict[str, bytes]) -> int:
    there = {path.name: path.read_bytes() for path in COMPILED.glob("*")}
    wrong = sorted(name for name in files.keys() | there.keys() if files.get(name) != there.get(name))
    for name in wrong:
        state = "is stale" if name in files and name in there else "is missing" if name in files else "has no source"
        print(f"kernels/cuda/compiled/{name} {state}: run kernels/cuda/build.py")
    print(f"{len(files) - 1} modules, {len(wrong)} differences")
    return 1 if wrong else 0


def write(files: dict[str, bytes]) -> int:
    COMPILED.mkdir(exist_ok=True)
    for path in COMPILED.glob("*"):
        path.unlink()
    for name, contents in files.items():
        (COMPILED / name).write_bytes(contents)
    print(f"{len(files) - 1} modules, {sum(map(len, files.values())) // 1024} KiB")
    return 0


def fetched() -> Path:
    """A virtual environment with the pinned NVRTC; the program ends with NO_NVRTC where it cannot be made."""
    if not (TOOLS / f"nvrtc-{VERSION}").exists():
        try:
            venv.create(TOOLS, with_pip=True, clear=True)
            pip = [str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, f"nvidia-cuda-nvrtc-cu12=={VERSION}"], check=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as why:
            print(f"NVRTC {VERSION} cannot be had: {why}")
            sys.exit(NO_NVRTC)
        (TOOLS / f"nvrtc-{VERSION}").touch()
    return TOOLS


def load(environment: Path):
    found = sorted(environment.glob("lib/python*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"))
    if not found:
        print(f"no NVRTC {VERSION} in {environment}: use --fetch")
        sys.exit(NO_NVRTC)
    ctypes.CDLL(str(found[0].parent / "libnvrtc-builtins.so.12.2"), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(found[0]))


if __name__ == "__main__":
    main()
