#!/usr/bin/env python3
"""Forward passes in an engine that runs ONNX, timed: prints one JSON line.

    onnx_peer.py WORK SECONDS --engine onnxruntime|openvino --folder FOLDER [--threads N] [--precision float32|bf16]

WORK is `NETWORK/forward`; FOLDER has what `export_onnx.py` wrote of the network. The scores must be PyTorch's, up to the
precision's rounding, before anything is timed. Both engines are told what makes them fastest for one batch after the other.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy

# Largest difference from PyTorch's scores in float32, as a share of the largest of them. With float32 in another order it is 1e-6, with
# bfloat16 4e-3: an engine that takes bfloat16 for float32 is found.
TOLERANCE = {"float32": 1e-5, "bf16": 3e-2}


def onnxruntime_pass(path, images, options):
    """What does the work once, and what then gives the scores. Images and scores keep their memory."""
    import onnxruntime

    if options.precision != "float32":
        raise SystemExit("ONNX Runtime has no bfloat16 convolutions for CPUs")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_ortvalue_input("images", onnxruntime.OrtValue.ortvalue_from_numpy(images))
    binding.bind_output("scores", "cpu")

    return lambda: session.run_with_iobinding(binding), lambda: binding.copy_outputs_to_cpu()[0]


def openvino_pass(path, images, options):
    """The same in OpenVINO."""
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": options.threads,
        "PERFORMANCE_HINT": "LATENCY",
        # By default what the processor is fastest in.
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bf16": "bf16"}[options.precision],
    }
    model = openvino.Core().compile_model(path, "CPU", settings)
    taken = model.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if taken != settings["INFERENCE_PRECISION_HINT"]:
        raise SystemExit(f"OpenVINO computes in {taken}")
    request = model.create_infer_request()
    request.set_input_tensor(openvino.Tensor(images, shared_memory=True))

    return request.infer, lambda: request.get_output_tensor().data


ENGINES = {"onnxruntime": onnxruntime_pass, "openvino": openvino_pass}


def check(scores, expected, precision):
    """The difference as a share, if it is small enough."""
    difference = numpy.abs(scores - expected).max() / numpy.abs(expected).max()
    if not difference <= TOLERANCE[precision]:
        raise SystemExit(f"scores differ from PyTorch's by {difference:.1e} of the largest, more than {TOLERANCE[precision]}")
    return float(difference)


def images_per_second(once, seconds, batch):
    def stretch(times):
        start = time.perf_counter()
        for _ in range(times):
            once()
        return time.perf_counter() - start

    stretch(2)
    times = max(1, math.ceil(seconds / stretch(1)))
    return times * batch / stretch(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--precision", choices=TOLERANCE, default="float32")
    options = parser.parse_args()
    network, kind = options.work.split("/")
    if kind != "forward":
        parser.error("WORK: forward passes only")
    example = numpy.load(options.folder / f"{network}.npz")
    images = example["images"]
    once, scores = ENGINES[options.engine](str(options.folder / f"{network}.onnx"), images, options)
    once()
    difference = check(scores(), example["scores"], options.precision)
    speed = images_per_second(once, options.seconds, len(images))
    print(json.dumps({"work": options.work, "precision": options.precision, "difference": difference, "images_per_second": speed}))


if __name__ == "__main__":
    main()
