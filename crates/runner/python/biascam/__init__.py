"""The program `biascam`, installed by its wheel: `biascam --help`, or `python -m biascam --help`.

Its results are files that polars, pandas and safetensors read; there is no Python interface beside the command line.
"""

from ._find import find_biascam

__all__ = ["find_biascam"]
