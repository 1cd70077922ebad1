"""Runs every test_*.py here, or those that are named, JOBS of them at once: they wait more than they work.

Prints what each said as it ends, and at last "N passed, N failed"."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
JOBS = int(os.environ.get("JOBS", "4"))


def run(module):
    """(passed, failed) of one file; prints what it said."""
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-W", "ignore::ResourceWarning", "-m", "unittest", "-v", module],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    ran = re.search(r"^Ran (\d+) test", done.stdout, re.M)
    failed = sum(int(count) for count in re.findall(r"(?:failures|errors)=(\d+)", done.stdout.splitlines()[-1]))
    if not ran or (done.returncode != 0 and failed == 0):
        failed += 1
    print(f"{module}: {time.monotonic() - begun:.0f} s\n{done.stdout}", flush=True)
    return max(0, int(ran[1]) - failed) if ran else 0, failed


def main():
    modules = sys.argv[1:] or sorted(path.stem for path in HERE.glob("test_*.py"))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(run, modules))
    for module, (_, failed) in zip(modules, results):
        if failed:
            print(f"FAILED: {module}")
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
