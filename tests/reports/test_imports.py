import subprocess
import sys


def test_a_report_needs_no_training_code() -> None:
    code = "import sys, grokscope.reports; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "grokscope.reports.page" in loaded
    assert not [name for name in loaded if name.startswith(("grokscope.training", "optax"))]
    assert not [name for name in loaded if name.startswith("grokscope.runner")]
