"""What is built can be installed and used by itself."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

import pytest
from conftest import SOURCE

from vestige import _install

pytest.importorskip("hatchling")


def built(project: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    [wheel] = into.glob("*.whl")
    return wheel


def run_alone(wheel: pathlib.Path, into: pathlib.Path, command: str) -> list[str]:
    """By itself: no driver, none of the tests' path."""
    zipfile.ZipFile(wheel).extractall(into)
    environment = os.environ | {"PYTHONPATH": str(into)}
    printed = subprocess.run(
        [sys.executable, "-S", "-c", command], check=True, capture_output=True, text=True, env=environment, cwd=into
    )
    return printed.stdout.split()


def test_wheel_and_sdist(tmp_path: pathlib.Path) -> None:
    wheel = built(SOURCE / "clients/python", tmp_path)
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "vestige/py.typed" in names
    assert {"vestige/django/templates/vestige/admin/history.html", "vestige/django/static/vestige/history.css"} < set(names)
    assert any(name.endswith("/LICENSE") for name in names)
    [sdist] = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        assert any(name.endswith("/src/vestige/_context.py") for name in packed.getnames())
        packed.extraction_filter = getattr(tarfile, "data_filter", None)  # not in every 3.10; newer ones warn without
        packed.extractall(tmp_path / "sdist")
    command = """import vestige, vestige.sqlite, vestige.trail, vestige._install
vestige.sqlite.connect(':memory:').execute('select 1')
print(vestige.__file__, vestige._install.fingerprint())"""
    wanted = _install.fingerprint()
    assert run_alone(wheel, tmp_path / "installed", command) == [str(tmp_path / "installed/vestige/__init__.py"), wanted]
    # A test of whoever has it installed finds its fixture.
    (tmp_path / "test_shop.py").write_text("def test_shop(recorded):\n    assert recorded.__module__ == 'vestige.pytest_plugin'\n")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
    )
    assert "1 passed" in tested.stdout, tested.stdout
    # And what is built of the source distribution, where the rest of the house is not.
    [project] = (tmp_path / "sdist").iterdir()
    (tmp_path / "again").mkdir()
    assert run_alone(built(project, tmp_path / "again"), tmp_path / "alone", command)[1] == wanted
