"""Compiles every kernel for GPUs with one pinned NVRTC.

    python kernels/cuda/build.py --fetch    puts NVRTC into .tools/nvrtc, from the Python package index; ends with 77 if it cannot
    python kernels/cuda/build.py            compiles into kernels/cuda/compiled and writes its budget
    python kernels/cuda/build.py --check    compiles again and fails unless every byte is the same

PELLUCID_NVRTC names another virtual environment that has the package.
NVRTC 12.2 writes PTX 8.2, which every driver from R535 on loads, and the same bytes on every machine.
A module is KERNEL.STORAGE.TARGET. A cubin is loaded by its own architecture, PTX is there for all others; fp16 is what
architectures before sm_80 have in place of bf16. What is made for sm_90a is a cubin for just that, and every kernel in it has to have
asynchronous products that the assembler leaves asynchronous. Each module has a symbol that is named after the hash of its source.
budget.tsv tells what every kernel takes on every architecture, sm_70 among them. None may spill registers: that fails here.
"""

import argparse
import ctypes
import gzip
import os
import re
import subprocess
import sys
import venv
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

VERSION = "12.2.140"
HERE = Path(__file__).resolve().parent
COMPILED = HERE / "compiled"
TOOLS = HERE.parents[1] / ".tools" / "nvrtc"
STORAGES = {"f32": "float", "bf16": "bf16", "f16": "f16"}
TARGETS = {
    "f32": ["sm_70.ptx", "sm_80.ptx", "sm_80.cubin", "sm_86.cubin", "sm_89.cubin", "sm_90.cubin"],
    "bf16": ["sm_80.ptx", "sm_80.cubin", "sm_86.cubin", "sm_89.cubin", "sm_90.cubin"],
    "f16": ["sm_70.ptx", "sm_75.ptx"],
}
TENSOR_CORES = re.compile(r'#include "../../cuda/(tensor|softmax).cuh"')  # what has other instructions on sm_75
NO_NVRTC = 77  # what the program ends with where NVRTC cannot be had


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is there and write nothing")
    parser.add_argument("--fetch", action="store_true", help="make sure that NVRTC is there, and do nothing else")
    options = parser.parse_args()
    environment = Path(os.environ.get("PELLUCID_NVRTC", TOOLS))
    if options.fetch:
        sys.exit(fetch(environment))
    load(environment)
    jobs = [(source, storage, target) for source in sources() for storage in storages(source) for target in targets(source, storage)]
    # One NVRTC compiles one program at a time, so every process has its own.
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(partial(compile_module, environment), *zip(*jobs)))
    files = {f"{name}.gz": module for name, module, _ in results}
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


def targets(source: Path, storage: str) -> list[str]:
    """A line `// From sm_80 on.` leaves out what is older, `// Target: sm_90a.` all but that; sm_75 differs from sm_70 for tensor cores alone."""
    text = source.read_text("utf-8")
    if only := re.search(r"^// Target: (\w+)\.$", text, re.MULTILINE):
        return [f"{only[1]}.cubin"]
    oldest = re.search(r"^// From (sm_\d+) on\.$", text, re.MULTILINE)
    served = [target for target in TARGETS[storage] if not oldest or target.split(".")[0] >= oldest[1]]
    return [target for target in served if target != "sm_75.ptx" or TENSOR_CORES.search(text)]


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


def compile_module(environment: Path, source: Path, storage: str, target: str) -> tuple[str, bytes, list[str]]:
    nvrtc = load(environment)
    architecture, kind = target.split(".")
    name = f"{module_name(source)}.{storage}.{target}"
    if kind == "cubin":
        cubin, log = translate(nvrtc, source, storage, name, architecture)
        if architecture == "sm_90a":
            refuse_synchronous(name, translate(nvrtc, source, storage, name, "compute_90a")[0].decode(), log)
        return name, cubin, budget(name, log)
    ptx, _ = translate(nvrtc, source, storage, name, architecture.replace("sm", "compute"))
    has_cubin = f"{architecture}.cubin" in TARGETS[storage]
    # What has no cubin is assembled here for its budget alone.
    log = "" if has_cubin else translate(nvrtc, source, storage, name, architecture)[1]
    return name, renumbered(ptx.rstrip(b"\0")), budget(name, log)


def refuse_synchronous(name: str, ptx: str, log: str) -> None:
    """Fails unless every kernel multiplies by warpgroups, orders that, and is assembled without waiting after each product."""
    kernels = ptx.split(".entry ")[1:]
    needed = ["wgmma.mma_async", "wgmma.fence", "wgmma.commit_group", "wgmma.wait_group", "fence.proxy.async", "cp.async.wait_group"]
    lacking = [(kernel.split("(")[0], word) for kernel in kernels for word in needed if word not in kernel]
    if lacking or not kernels or "serialized" in log:
        sys.exit(f"{name}: not made of asynchronous products: {lacking or log}")


def renumbered(ptx: bytes) -> bytes:
    """Comments number calls through everything that one process compiled: from 0 again in every module."""
    seen = {}
    return re.sub(rb"// callseq (\d+)", lambda found: b"// callseq %d" % seen.setdefault(found[1], len(seen)), ptx)


def translate(nvrtc, source: Path, storage: str, name: str, architecture: str) -> tuple[bytes, str]:
    """PTX for a virtual architecture, a cubin for a real one, and what ptxas said of it."""
    text = f'{source.read_text("utf-8")}\nextern "C" __device__ unsigned source_{source_hash(source)};\n'
    included = headers()
    program = ctypes.c_void_p()
    array = ctypes.c_char_p * len(included)
    names, texts = array(*(path.encode() for path in included)), array(*(text.encode() for text in included.values()))
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), name.encode(), len(included), texts, names)
    real = architecture.startswith("sm")
    flags = [f"--gpu-architecture={architecture}", "--std=c++17", f"-DSTORAGE={STORAGES[storage]}"]
    flags += ["--ptxas-options=-v"] if real else []
    status = nvrtc.nvrtcCompileProgram(program, len(flags), (ctypes.c_char_p * len(flags))(*(flag.encode() for flag in flags)))
    log = read(nvrtc, program, "ProgramLog").decode().rstrip("\0")
    if status:
        sys.exit(f"{name} does not compile:\n{log}")
    module = read(nvrtc, program, "CUBIN" if real else "PTX")
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return module, log


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
    there = {path.name: path for path in COMPILED.glob("*")}
    for name in sorted(files.keys() - there.keys()):
        print(f"kernels/cuda/compiled/{name} is missing")
    for name in sorted(there.keys() - files.keys()):
        print(f"kernels/cuda/compiled/{name} has no source")
    stale = [name for name in sorted(files.keys() & there.keys()) if unpacked(there[name]) != files[name]]
    for name in stale:
        print(f"kernels/cuda/compiled/{name} is not what its source compiles to")
    print(f"{len(files) - 1} modules compiled" + ("" if not stale and files.keys() == there.keys() else ": run kernels/cuda/build.py"))
    return 1 if stale or files.keys() != there.keys() else 0


def unpacked(path: Path) -> bytes:
    """What was compiled counts: zlib's versions may pack the same bytes differently."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def write(files: dict[str, bytes]) -> int:
    COMPILED.mkdir(exist_ok=True)
    for path in COMPILED.glob("*"):
        path.unlink()
    for name, contents in files.items():
        (COMPILED / name).write_bytes(gzip.compress(contents, mtime=0) if name.endswith(".gz") else contents)
    size = sum(path.stat().st_size for path in COMPILED.glob("*"))
    print(f"{len(files) - 1} modules, {size // 1024} KiB")
    return 0


def library(environment: Path) -> Path | None:
    """NVRTC of exactly this version, if the environment has it."""
    of_version = list(environment.glob(f"lib/python*/site-packages/nvidia_cuda_nvrtc_cu12-{VERSION}.dist-info"))
    found = list(environment.glob("lib/python*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"))
    return found[0] if of_version and found else None


def fetch(environment: Path) -> int:
    if library(environment):
        return 0
    try:
        venv.create(environment, with_pip=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=1"]
        subprocess.run([*pip, f"nvidia-cuda-nvrtc-cu12=={VERSION}"], check=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as why:
        print(f"NVRTC {VERSION} cannot be had: {why}")
    return 0 if library(environment) else NO_NVRTC


@cache
def load(environment: Path):
    found = library(environment)
    if not found:
        print(f"NVRTC {VERSION} is not in {environment}: run build.py --fetch")
        sys.exit(NO_NVRTC)
    ctypes.CDLL(str(found.parent / "libnvrtc-builtins.so.12.2"), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(found))


if __name__ == "__main__":
    main()
