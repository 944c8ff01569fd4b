"""Signal a process once our parent is gone: `python -m deploy.watchdog PID SIGNAL`.

Used where the kernel offers no death signal. The parent holds the other end of standard
input; the end of the file is its death.
"""

import contextlib
import os
import sys

if __name__ == "__main__":
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(sys.argv[1]), int(sys.argv[2]))
