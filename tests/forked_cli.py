"""Run `python -m exercises` in a fork, with servers that are forks too; argv[1] says of what."""

import json
import os
import sys
from importlib import import_module

sys.path[0] = os.getcwd()
import_module("exercises.runner").PYTHON[:] = json.loads(sys.argv[1])
try:
    sys.exit(import_module("exercises.__main__").main(sys.argv[2:]))
except KeyboardInterrupt:
    sys.exit(130)
