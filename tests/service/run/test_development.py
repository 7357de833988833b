"""The secrets that development makes for itself."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from service import development
from service.settings import Secret, Settings, SettingsError


@pytest.fixture
def settings(tmp_path):
    """Settings of a directory that does not exist yet."""
    return Settings.load({"DATA_DIR": str(tmp_path / "new" / "data")})


def test_made_once_and_private(settings):
    """The files are made once, readable by their owner only, and nothing else is left behind."""
    complete = development.complete(settings)
    assert complete == development.complete(settings)
    assert complete.jwt_secret.reveal() != complete.telemetry.pseudonym_key
    files = sorted(settings.data_dir.iterdir())
    assert [file.name for file in files] == ["jwt-secret", "pseudonym-key"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700


def test_racing_processes_agree(settings):
    """However many start at once, all have the same secret."""
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: development.complete(settings).jwt_secret.reveal(), range(64)))
    assert len(secrets) == 1


def test_given_secrets_touch_no_file(tmp_path):
    """With everything given, nothing is written."""
    settings = Settings.load(
        {"DATA_DIR": str(tmp_path / "data"), "JWT_SECRET": "s" * 40, "PII_PSEUDONYM_KEY": "k" * 40}
    )
    assert development.complete(settings) is settings
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_a_file(tmp_path):
    """A DATA_DIR that cannot be one is named, in `run`'s first look and when a file is to be made."""
    (tmp_path / "file").write_text("")
    settings = Settings.load({"DATA_DIR": str(tmp_path / "file" / "data")})
    for step in (development.complete, development.require_data_dir):
        with pytest.raises(SettingsError, match=r"^DATA_DIR: expected a directory"):
            step(settings)


def test_half_a_secret_is_refused(settings):
    """A file that this service cannot have written is not used as a key."""
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "jwt-secret").write_text("short")
    with pytest.raises(SettingsError, match="delete the file"):
        development.complete(settings)


def test_ephemeral_makes_no_file(settings, tmp_path):
    """Commands that verify no token need no file."""
    secret = development.ephemeral(settings).jwt_secret
    assert len(secret.reveal()) >= 64
    assert list(tmp_path.iterdir()) == []
    given = replace(settings, jwt_secret=Secret(b"x" * 40))
    assert development.ephemeral(given) is given
