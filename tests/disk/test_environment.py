import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from grokscope.disk.environment import environment, git_commit


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "__init__.py").write_text("one = 1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_commit_of_clean_and_changed_sources(sources: Path):
    commit = git(sources, "rev-parse", "HEAD")
    assert git_commit(sources) == commit
    (sources / "__init__.py").write_text("one = 2\n")
    assert git_commit(sources) == f"{commit}-dirty"


def test_an_installed_package_inside_another_repository_has_no_commit(sources: Path):
    installed = sources / "site-packages" / "grokscope"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    assert git_commit(installed) is None


def test_no_git(sources: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert git_commit(sources) is None


def test_what_is_recorded():
    facts = environment(device="cpu", jaxlib="0.7", run_axis="vmap")
    assert facts.keys() == {"packages", "git_commit", "hardware", "determinism"}
    assert facts["packages"]["numpy"] == np.__version__
    assert facts["hardware"]["processor"] == facts["determinism"]["processor"] != ""
    assert 1 <= facts["hardware"]["threads"] <= facts["hardware"]["cores"] == os.cpu_count()
