"""Python in a process of its own, for tests that talk to it, stop it or kill it."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager


@contextmanager
def python_process(words: Sequence[str], environment: Mapping[str, str]) -> Generator[subprocess.Popen[str]]:
    """The process of these words, with pipes to all its streams, while the block runs; then it is killed."""
    with subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
