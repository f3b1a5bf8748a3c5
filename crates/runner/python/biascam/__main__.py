"""`python -m biascam`: becomes the program."""

import os
import sys

from ._find import find_biascam

if __name__ == "__main__":
    try:
        program = find_biascam()
    except FileNotFoundError as error:
        sys.exit(str(error))
    os.execv(program, ["biascam", *sys.argv[1:]])
