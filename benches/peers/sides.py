"""The sides that `compare.py` measures on a CPU, what each of them does, and how it is run; the standard library only."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from common import HERE, output, reason

FLOAT32, BF16 = "float32", "bf16"


@dataclass(frozen=True)
class Side:
    """One column of the table."""

    name: str
    column: str
    # The kinds of work that it does, by precision.
    kinds: dict
    # What its program is told beside work, seconds, threads and precision.
    extra: tuple = ()
    # Whether its convolutions can be kept to AVX2 on a processor with more.
    keeps_to_avx2: bool = True

    def does(self, row):
        return row.kind in self.kinds.get(row.precision, ())


# biascam scores and explains in float32 whatever a training's precision is. The authors' way of explaining hooks into the model, which
# leaves nothing to compile, and is run as they run it. The engines only score; ONNX Runtime has no bfloat16 convolution for CPUs
# (1.32 refuses Conv, MatMul and Gemm: "Could not find an implementation").
BOTH = ("forward", "step")
SIDES = [
    Side("biascam", "biascam", {FLOAT32: (*BOTH, "explain"), BF16: ("step",)}),
    Side("eager", "eager", {FLOAT32: (*BOTH, "explain")}),
    Side("channels-last", "eager, channels last", {FLOAT32: BOTH, BF16: BOTH}, ("--layout", "channels-last")),
    Side("compile", "torch.compile", {FLOAT32: BOTH, BF16: BOTH}, ("--layout", "channels-last", "--compile", "default")),
    Side("onnxruntime", "ONNX Runtime", {FLOAT32: ("forward",)}, keeps_to_avx2=False),
    Side("openvino", "OpenVINO", {FLOAT32: ("forward",), BF16: ("forward",)}),
]
# What keeps sides to AVX2 on a processor with more: biascam's kernels; PyTorch's own and what it compiles; those of its libraries.
# OpenVINO heeds oneDNN's variable in all but the mean of each channel and the last matrix product, which take no time. ONNX Runtime has
# nothing of the kind.
AVX2_ONLY = {
    "BIASCAM_SIMD": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}


class Runner:
    """Runs sides with the same threads, in float32 that is float32: what would change either is taken out of their environment."""

    def __init__(self, python, peer, folder, threads, seconds, avx2_only):
        self.python, self.peer, self.folder, self.threads, self.seconds = python, peer, folder, threads, seconds
        self.environment = {key: value for key, value in os.environ.items() if key not in AVX2_ONLY and key != "DNNL_MAX_CPU_ISA"}
        self.environment |= {"RAYON_NUM_THREADS": str(threads), "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT"}
        if avx2_only:
            self.environment |= AVX2_ONLY
        self.exported = {}

    def why_not(self, side, row):
        """What is known to be missing before anything is run."""
        if side.name == "compile" and not shutil.which(os.environ.get("CXX", "g++").split()[0]):
            return "there is no C++ compiler (CXX, else g++)"
        if side.name in ("onnxruntime", "openvino"):
            return self.export(row.network)
        return None

    def command(self, side, row):
        work = [row.work, str(self.seconds), "--precision", row.precision]
        if side.name == "biascam":
            return [str(self.peer), *work]
        work += ["--threads", str(self.threads)]
        if side.name in ("onnxruntime", "openvino"):
            return [self.python, str(HERE / "onnx_peer.py"), *work, "--engine", side.name, "--folder", self.folder]
        return [self.python, str(HERE / "torch_peer.py"), *work, *side.extra]

    def export(self, network):
        """Writes the network as ONNX, once; or says why it cannot be."""
        if network not in self.exported:
            command = [self.python, str(HERE / "export_onnx.py"), network, self.folder]
            done = subprocess.run(command, capture_output=True, text=True, env=self.environment)
            self.exported[network] = reason(done.stderr) if done.returncode else None
        return self.exported[network]


VERSIONS = """
import importlib.metadata, json
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
import torch, torchvision
print(json.dumps({"PyTorch": torch.__version__, "ONNX Runtime": version("onnxruntime"), "OpenVINO": version("openvino")}))
"""


def versions(python):
    """Of what there is beside PyTorch, without which nothing is compared."""
    return {name: version for name, version in json.loads(output(python, "-c", VERSIONS)).items() if version}
