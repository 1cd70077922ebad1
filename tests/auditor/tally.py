"""How the scripts here count what they find."""
import sys

passed = failed = 0


def check(what, is_right):
    global passed, failed
    if is_right:
        passed += 1
    else:
        failed += 1
        print("FAILED:", what)


def end():
    """Says the sum and ends the script."""
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)
