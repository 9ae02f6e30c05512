"""Run `python -m exercises` in a fork, with servers that are forks too; argv[1] says of what."""

import json
import os
import sys

sys.path[0] = os.getcwd()

from exercises import runner
from exercises.__main__ import main

runner.PYTHON[:] = json.loads(sys.argv[1])
try:
    sys.exit(main(sys.argv[2:]))
except KeyboardInterrupt:
    sys.exit(130)
