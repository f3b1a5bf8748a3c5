"""Where the wheel has put the program."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path


def find_biascam() -> str:
    """The path of the program that this package was installed with."""
    name = "biascam" + (sysconfig.get_config_var("EXE") or "")
    here = Path(__file__).resolve()
    folders = [
        # A virtual or conda environment, or the system.
        sysconfig.get_path("scripts"),
        # What a virtual environment sees of the interpreter that it was made from.
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
        # `pip install --user`.
        sysconfig.get_path("scripts", scheme=sysconfig.get_preferred_scheme("user")),
        # `pip install --prefix DIR`: DIR/lib/pythonX.Y/site-packages/biascam.
        str(here.parents[4] / "bin") if len(here.parents) > 4 else None,
        # `pip install --target DIR`: DIR/biascam.
        str(here.parents[1] / "bin"),
    ]
    tried = list(dict.fromkeys(folder for folder in folders if folder))
    for folder in tried:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f"biascam: the program is in none of {', '.join(tried)}; install the wheel again")
