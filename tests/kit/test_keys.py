"""Keys as settings name them, and as they are found again."""

from pathlib import Path

import pytest

from treering.errors import SettingsError
from treering.keys import Keyring, configured_keys, made
from treering.settings import Settings

LONG = "sk_tests_0123456789"


def test_without_any_key_it_is_open() -> None:
    assert Keyring().is_open
    assert not Keyring(None, [LONG]).is_open
    assert Keyring().bearer(LONG) is None


def test_a_configured_key_may_do_everything() -> None:
    ring = Keyring(None, [LONG, "another-one"])
    found = ring.bearer("another-one")
    assert found is not None
    assert (found.actor, found.access) == (ring.names[1], "admin")
    assert "another" not in found.actor
    assert ring.bearer("another-onE") is None


def test_no_two_keys_are_made_alike_and_none_shows_itself() -> None:
    first, second = made(), made()
    assert len({first.key, second.key, first.prefix, second.prefix}) == 4
    assert first.key.startswith(f"trk_{first.prefix}_")
    assert first.key not in repr(first)


def test_keys_are_named_in_a_list_and_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# ours\n\n  {LONG}  \nsk_others_1\n")
    assert configured_keys(f"sk_first_1, {LONG},", file) == ["sk_first_1", LONG, "sk_others_1"]
    assert configured_keys(None, None) == []


def test_what_names_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("# none\n")
    for said, file, word in (
        (" , ", None, "TREERING_API_KEYS"),
        (None, tmp_path / "none", "TREERING_API_KEY_FILE"),
        (None, tmp_path / "missing", "can not be read"),
        ("short", None, "8 to 512"),
        ("ünsäglich lang", None, "ASCII"),
    ):
        with pytest.raises(SettingsError, match=word):
            configured_keys(said, file)


def test_the_name_that_others_use_is_read_too() -> None:
    assert Settings.read({"SERVICEKIT_API_KEYS": LONG}).api_keys == LONG
    both = {"SERVICEKIT_API_KEYS": LONG, "TREERING_API_KEYS": "sk_ours_12"}
    assert Settings.read(both).api_keys == "sk_ours_12"
    assert LONG not in repr(Settings.read({"SERVICEKIT_API_KEYS": LONG}))
