"""What a reader has before them: a shell, a Python prompt, and a service that runs."""

import os
import shutil
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DONE = "--- done ---"
BASH = (
    f'while IFS= read -r file; do set -euo pipefail; source "$file" </dev/null; echo "{DONE}"; done'
)
PYTHON = f"""
import sys
for file in sys.stdin:
    text = open(file.strip()).read()
    exec(compile(text, file.strip(), "exec"), sys.modules["__main__"].__dict__)
    print({DONE!r}, flush=True)
"""
START_SECONDS = 90
POSTGRES = "TREERING_POSTGRES_BIN"


class Prompt:
    """A shell or a Python that takes one block after another and keeps what they define."""

    def __init__(self, language: str, folder: Path, environment: dict[str, str]) -> None:
        command = (
            ["bash", "-c", BASH] if language == "bash" else [str(BIN / "python"), "-c", PYTHON]
        )
        self._block = folder.parent / f"block.{language}"
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, text: str) -> str:
        """Run *text* and return what it printed; raise AssertionError if it fails."""
        assert self.process.stdin
        assert self.process.stdout
        self._block.write_text(text)
        self.process.stdin.write(f"{self._block}\n")
        self.process.stdin.flush()
        said: list[str] = []
        for line in self.process.stdout:
            if line.strip().endswith(DONE):
                said.append(line.replace(DONE, "").rstrip("\n"))
                return "".join(said)
            said.append(line)
        message = f"This block failed:\n{text}\nand said:\n{''.join(said)}"
        raise AssertionError(message)

    def close(self) -> None:
        """End the prompt."""
        self.process.kill()
        self.process.communicate()


class Service:
    """`treering dev` in a folder, on a free port."""

    def __init__(self, folder: Path, environment: dict[str, str], *options: str) -> None:
        self.http = f"127.0.0.1:{_free_port()}"
        environment = environment | {"PORT": self.http.partition(":")[2]}
        self._log = folder.parent / "dev.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [BIN / "treering", "dev", *options],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(self.http):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                message = f"treering dev did not start:\n{self._log.read_text()}"
                raise AssertionError(message)
            time.sleep(0.05)

    def close(self) -> None:
        """Stop the service as Ctrl-C does."""
        self.process.terminate()
        self.process.wait(30)


def reader(folder: Path) -> dict[str, str]:
    """Return the environment of someone who reads: this project on the PATH, a quiet curl."""
    (folder / ".curlrc").write_text("silent\nshow-error\n")
    own = [name for name in os.environ if name.startswith("TREERING_") and name != POSTGRES]
    kept = {name: value for name, value in os.environ.items() if name not in own}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return kept | {
        "PATH": path,
        "CURL_HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "100",
    }


def copy(folder: Path, into: Path) -> None:
    """Copy an example without what its own runs have left behind."""
    ignored = shutil.ignore_patterns(".treering", "__pycache__")
    shutil.copytree(folder, into, ignore=ignored, dirs_exist_ok=True)


def _is_ready(address: str) -> bool:
    asking = HTTPConnection(address, timeout=2)
    try:
        asking.request("GET", "/health/ready")
        return asking.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        asking.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
