"""Write the lock of Kafka's jars anew: `python scripts/lock_jars.py 4.3.1 > …/jars.lock`.

Resolves the release with jgo, fetches every jar, and prints coordinate, SHA-256 and size. To be
read before it is committed: from then on exactly these files are accepted.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

LOGGING = "org.slf4j:slf4j-simple:1.7.36"
"""The binding of the logging interface that Kafka uses; of the same release as that interface."""


def main(release: str) -> None:
    """Print the lock of a *release* of Kafka."""
    with tempfile.TemporaryDirectory() as folder:
        maven = MavenContext(repo_cache=Path(folder), local_repos=[])
        wanted = [f"org.apache.kafka:kafka_2.13:{release}", LOGGING]
        named, needed = maven.resolver.resolve([maven.create_dependency(name) for name in wanted])
        lines: set[str] = set()
        for jar in (*named, *needed):
            component = maven.project(jar.groupId, jar.artifactId).at_version(jar.version)
            content = component.artifact().resolve().read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            coordinate = f"{jar.groupId}:{jar.artifactId}:{jar.version}"
            lines.add(f"{coordinate} sha256:{digest} {len(content)}")
    print(*sorted(lines), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1])
