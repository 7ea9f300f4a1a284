"""Run the tests with other libraries, each in a separate environment.

    python tests/clients/run.py ENVIRONMENTS BASE [NAME ...]

``ENVIRONMENTS`` is the folder of the environments, which are created in the first run.
``BASE`` is the site-packages folder of an environment with this package and its
dependencies in the versions of constraints.txt. Each environment uses the packages of
``BASE``, installs those of ``requirements/NAME.txt`` in addition and runs
``test_NAME.py``. Packages in a requirements file, such as an older pandas, take
precedence over those of ``BASE``. Without a name all tests run.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def package_name(requirement):
    """Normalized package name in a line of a requirements file."""
    name = re.match(r"[\w.-]+", requirement).group()
    return re.sub(r"[-_.]+", "-", name).lower()


def select_constraints(constraints, requirements):
    """Constraints on packages that are not in the requirements."""
    own = {package_name(line) for line in requirements}
    return [line for line in constraints if package_name(line) not in own]


def make_environment(folder, base, requirements_file):
    """Create an environment with the requirements, unless it is up to date."""
    requirements = requirements_file.read_text("utf-8").split("\n")
    requirements = [line for line in requirements if line]
    stamp = folder / "requirements.txt"
    constraints = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    wanted = "\n".join([*requirements, *select_constraints(constraints, requirements)])
    python = folder / "bin" / "python"
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    venv.create(folder, clear=True, with_pip=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "base.pth").write_text(f"{base}\n", "utf-8")
    limits = folder / "constraints.txt"
    limits.write_text("\n".join(select_constraints(constraints, requirements)), "utf-8")
    install = [python, "-m", "pip", "install", "-q", "-c", limits, "-r"]
    subprocess.run([*install, requirements_file], check=True)
    stamp.write_text(wanted, "utf-8")
    return python


def run_tests(name, python):
    """Run the tests with a library, ignoring warnings; return whether they pass."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    test = HERE / f"test_{name}.py"
    run = subprocess.run(
        [python, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
    )
    return run.returncode == 0


def main(environments, base, *names):
    known = sorted(path.stem for path in (HERE / "requirements").glob("*.txt"))
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no requirements for {sorted(unknown)}; the names are {known}")
    failed = []
    for name in names or known:
        print(f"--- {name}", flush=True)
        try:
            requirements = HERE / "requirements" / f"{name}.txt"
            python = make_environment(
                Path(environments).resolve() / name, base, requirements
            )
            passed = run_tests(name, python)
        except subprocess.CalledProcessError as error:
            print(error, flush=True)
            passed = False
        if not passed:
            failed.append(name)
    print(f"{len(names or known) - len(failed)} passed, {len(failed)} failed", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
