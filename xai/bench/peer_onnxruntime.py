"""The onnxruntime worker: bare forward passes in float32. Protocol: README.md.

Models are exported by another process from the PyTorch models, so that only onnxruntime lives in this one.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import answers

HERE = Path(__file__).resolve().parent
FOLDER = tempfile.TemporaryDirectory(prefix="onnx_models_")


def main():
    versions = {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}
    answers.answer("onnxruntime", os.cpu_count(), versions, {"f32": ["forward"]}, load)


def load(name, batch, _precision):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(exported(name, batch), options, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).standard_normal(session.get_inputs()[0].shape, dtype=np.float32)
    return lambda _task: lambda: session.run(None, {"pixels": pixels})[0].size


def exported(name, batch):
    file = Path(FOLDER.name) / f"{name}.{batch}.onnx"
    if not file.exists():
        command = [sys.executable, str(HERE / "export_onnx.py"), name, str(batch), str(file)]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return str(file)


if __name__ == "__main__":
    main()
