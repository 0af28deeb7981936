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

pytest.importorskip("hatchling")


def test_wheel_and_sdist(tmp_path: pathlib.Path) -> None:
    project = SOURCE / "clients/python"
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)], cwd=project, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "vestige/py.typed" in names
    assert any(name.endswith("/LICENSE") for name in names)
    [sdist] = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        assert any(name.endswith("/src/vestige/_context.py") for name in packed.getnames())
    # By itself: no driver, none of the tests' path.
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    command = "import vestige, vestige.sqlite; print(vestige.__file__); vestige.sqlite.connect(':memory:').execute('select 1')"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", command],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
    )
    assert printed.stdout.strip() == str(tmp_path / "installed/vestige/__init__.py")
