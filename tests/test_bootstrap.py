"""What pip has been told of indexes, certificates and proxies reaches uv."""

from pathlib import Path

from scripts.uv import environment


def test_an_index_of_pip_is_one_of_uv() -> None:
    told = environment({"index-url": ["https://mirror.example/simple"]}, {})
    assert told == {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}


def test_what_uv_has_been_told_itself_stays() -> None:
    own = {"UV_INDEX_URL": "https://own.example/simple", "SSL_CERT_FILE": "own.pem"}
    assert environment({"index-url": ["https://mirror.example"], "cert": ["pip.pem"]}, own) == own


def test_several_indexes_are_taken_together_as_pip_does() -> None:
    told = environment({"extra-index-url": ["https://a.example", "https://b.example"]}, {})
    assert told["UV_INDEX"] == "https://a.example https://b.example"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_a_folder_of_wheels_that_is_not_there_is_left_out_as_pip_does(tmp_path: Path) -> None:
    told = environment({"find-links": [str(tmp_path), str(tmp_path / "gone")]}, {})
    assert told == {"UV_FIND_LINKS": str(tmp_path)}
    assert environment({"find-links": [str(tmp_path / "gone")]}, {}) == {}


def test_certificates_proxy_and_patience_are_passed_on() -> None:
    settings = {"cert": ["c.pem"], "proxy": ["http://p.example:3128"], "default-timeout": ["180"]}
    told = environment(settings, {})
    assert told == {
        "SSL_CERT_FILE": "c.pem",
        "ALL_PROXY": "http://p.example:3128",
        "UV_HTTP_TIMEOUT": "180",
    }
