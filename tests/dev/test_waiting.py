"""`treering dev` lets commands in while it waits for what only they can mend."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.dev.test_dev import READ_MODEL, SERVICE, Dev
from tests.docs.running import BIN
from treering.dev import announcement
from treering.embedded import Addresses

pytestmark = pytest.mark.timeout(240)


def test_a_read_model_that_has_stopped_before_it_was_built_is_mended_by_a_command(
    servers: Addresses, namespace: str, tmp_path: Path
) -> None:
    folder = tmp_path / "rain"
    (folder / "projections").mkdir(parents=True)
    (folder / "service.py").write_text(SERVICE.replace('"rain"', f'"{namespace}"'))
    leaf = folder / "projections" / "names.py"
    leaf.write_text(READ_MODEL)
    options = ("--kafka", servers.kafka, "--database", servers.database)
    with closing(Dev(folder, *options)) as dev:
        dev.create("nameless")
        dev.process.terminate()
        dev.process.wait(60)
        leaf.write_text(READ_MODEL.replace("yield", 'raise ValueError("no name")\n        yield'))
        dev.start()
        assert dev.says("It waits for read models: names stopped at position 1.")
        found = announcement.read(dev.home)
        assert found is not None
        assert found.waiting_for == "names stopped at position 1"
        skip = [BIN / "treering", "projections", "skip", "names", "1"]
        subprocess.run(skip, check=True, cwd=folder, env=dev.environment, stdout=subprocess.DEVNULL)
        dev.ready()
        assert dev.says("is ready after")
