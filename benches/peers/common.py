"""What the scripts of this folder share; the standard library only."""

import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRIPT = Path(sys.argv[0]).name


def output(*command, **more):
    """What a command prints; where it fails, the end of its own words."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, **more).stdout
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout).strip()[-2000:]
        raise SystemExit(f"{SCRIPT}: `{' '.join(map(str, command))}` failed:\n{words}") from None
    except FileNotFoundError:
        raise SystemExit(f"{SCRIPT}: there is no program `{command[0]}`") from None


def peers_python():
    """An interpreter of our own with the pinned requirements."""
    folder = ROOT / "target" / "peers"
    python = folder / "bin" / "python"
    done = folder / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"making a virtual environment with PyTorch in {folder} (3 GB, once)", file=sys.stderr)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
        except (subprocess.CalledProcessError, OSError) as error:
            raise SystemExit(
                f"{SCRIPT}: the environment for PyTorch could not be made ({error}). It needs Python's venv and ensurepip, a "
                "package index, and 3 GB; or give --python an interpreter that has what benches/peers/requirements.txt lists."
            ) from None
        done.write_text(wanted)
    return str(python)


def torch_version(python):
    """PyTorch's, once all that the peers import can be imported."""
    program = "import torch, torchvision, pytorch_grad_cam; print(torch.__version__)"
    try:
        return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()
    except (subprocess.CalledProcessError, OSError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise SystemExit(
            f"{SCRIPT}: {python} cannot run the peers: {reason}. They need what benches/peers/requirements.txt lists; without "
            "--python an environment with it is made under target/peers."
        ) from None


def revision():
    return output("git", "describe", "--always", "--dirty", "--exclude=*").strip()


def cpuinfo():
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def processor():
    for line in cpuinfo().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def instruction_sets():
    flags = cpuinfo()
    return "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "neither AVX2 nor AVX-512"


def cell(values):
    """Median and range."""
    if not values:
        return "–"
    digits = 0 if min(values) >= 20 else 2 if max(values) < 10 else 1
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"
