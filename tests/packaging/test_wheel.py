"""What is in the wheel."""

import subprocess
import zipfile
from email import message_from_bytes
from pathlib import Path

SERVICE_ONLY = ["uvicorn", "uvloop", "httptools", "sqlalchemy", "aiosqlite", "asyncpg", "alembic", "jwt", "httpx"]


def test_wheel_holds_both_packages_and_the_licence(wheel: Path) -> None:
    """The wheel holds telemetry, service, the migrations, the documentation page's files, prompts and the licence."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"telemetry", "service"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.startswith("service/database/migrations/versions/") for name in names)
    assert any(name.startswith("service/static/") for name in names)
    assert "service/llm/prompts/cover_letter.v1.toml" in names
    assert "service/limits/redis/sliding_window.lua" in names


def test_base_metadata_asks_for_nothing_of_the_service(wheel: Path) -> None:
    """Without extras the wheel requires no server, no database driver and no token library."""
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    required = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist", [])
    base = " ".join(text for text in required if "extra ==" not in text).lower()
    assert [name for name in [*SERVICE_ONLY, "pyjwt"] if name in base.replace("instrumentation-sqlalchemy", "")] == []


def test_telemetry_is_usable_without_the_service_dependencies(elsewhere: Path) -> None:
    """`import telemetry` works where none of the service's dependencies is installed."""
    program = f"""
import importlib.util, sys
present = [name for name in {SERVICE_ONLY!r} if importlib.util.find_spec(name)]
assert present == [], present
import telemetry
assert "site-packages" in telemetry.__file__, telemetry.__file__
assert callable(telemetry.instrument)
"""
    done = subprocess.run([elsewhere, "-I", "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
