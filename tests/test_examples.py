"""The examples run from beginning to end."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
def test_the_names_example_searches_reports_and_draws(tmp_path):
    run = subprocess.run(
        [sys.executable, EXAMPLES / "plot_names.py", "Olga Petrova"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    accuracy = re.search(r"accuracy on the held-out names: (\d\.\d+)", run.stdout)
    assert float(accuracy.group(1)) > 0.65
    assert re.search(r"^Olga Petrova: Russian \d+%", run.stdout, re.M)
    assert (tmp_path / "demo_confusion_matrix.png").stat().st_size > 10_000
