"""What the scripts of this folder share; the standard library only."""

import json
import platform
import re
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
        print(f"making a virtual environment with PyTorch in {folder} (6 GB, once)", file=sys.stderr)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
        except (subprocess.CalledProcessError, OSError) as error:
            raise SystemExit(
                f"{SCRIPT}: the environment for PyTorch could not be made ({error}). It needs Python's venv and ensurepip, a "
                "package index, and 6 GB; or give --python an interpreter that has what benches/peers/requirements.txt lists."
            ) from None
        done.write_text(wanted)
    return str(python)


def images_per_second(command, limit, environment=None):
    """What a side of a comparison says of its speed in its last line; or None, and why not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=limit, env=environment)
    except subprocess.TimeoutExpired:
        return None, f"not done after {limit:g} s"
    except OSError as error:
        return None, str(error)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        print(words, file=sys.stderr)
        return None, reason(words) or f"exit status {done.returncode}, nothing said"
    return json.loads(done.stdout.strip().splitlines()[-1])["images_per_second"], None


def reason(words):
    """The line of a program's last words that says what went wrong: an error's own, which PyTorch follows by advice."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b.*: ", line)]
    return (errors or lines or [""])[-1].removeprefix("Error: ")


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


def bfloat16_sets():
    """The processor's instructions for sums of products of bfloat16."""
    flags = cpuinfo().split()
    return [name.upper() for name in ("avx512_bf16", "amx_bf16") if name in flags]


def cell(values):
    """Median and range."""
    if not values:
        return "–"
    digits = 0 if min(values) >= 20 else 2 if max(values) < 10 else 1
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"
