"""Run the tests of other libraries, each in an environment of its own.

    python tests/clients/run.py ENVIRONMENTS BASE [NAME ...]

``BASE`` is the site-packages folder that has this package and its dependencies as
constraints.txt pins them; ``ENVIRONMENTS`` is the folder of environments, which are
made at the first run. Each adds to ``BASE`` what ``requirements/NAME.txt`` pins, and
runs ``test_NAME.py``. Without a name all are run. Packages that a file pins, such
as an older pandas, replace those of ``BASE`` in this environment only.
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
    """Normalised name of the package of a line of requirements."""
    name = re.match(r"[\w.-]+", requirement).group()
    return re.sub(r"[-_.]+", "-", name).lower()


def select_constraints(constraints, requirements):
    """Lines of constraints on packages that the requirements do not pin themselves."""
    own = {package_name(line) for line in requirements}
    return [line for line in constraints if package_name(line) not in own]


def make_environment(folder, base, requirements_file):
    """An environment with the requirements; nothing is done if it has them."""
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
    """Whether the tests of a library pass; its own warnings are ignored."""
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
        sys.exit(f"no requirements for {sorted(unknown)}; there are {known}")
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
