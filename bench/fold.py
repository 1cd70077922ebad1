"""The fold without what is around it, and its grant rule."""
from measure import Row, at_least, at_most, figures

GRANT_CALLS = 10_000  # parallel, on one account


def fold_alone(build, accounts, calls):
    found = figures(build / "bench/bench_fold", accounts, calls)
    rate = 1e9 / found["a tick"]
    return [Row(f"fold alone, {accounts:,} accounts, {calls:,} live calls", f"{rate:,.0f} ticks/s",
                f"{found['a tick']:.0f} ns, SHA-256 alone {found['SHA-256 of it']:.0f} ns", "3,000,000", at_least(rate, 3e6)),
            Row("  memory a live call", f"{found['memory a live call']:.0f} bytes", "", "400",
                at_most(found["memory a live call"], 400))]


def grants(build):
    """Rows of the grant rule; each beside its growth over a quarter of the calls."""
    program = build / "bench/bench_grant"
    few, many = figures(program, GRANT_CALLS // 4), figures(program, GRANT_CALLS)

    def row(indent, what, ample):
        ratio = f", {many[what] / many[ample]:,.1f}x {ample}" if ample else f", {many[what] / GRANT_CALLS:,.0f} ns a call"
        return Row(indent + what, f"{many[what]:,.0f} ns", f"{many[what] / few[what]:.1f}x a quarter of the calls{ratio}", "", "")

    return [row(f"grant rule, {GRANT_CALLS:,} calls of one account: ", "tick, running out", "tick, credits ample"),
            row("  ", "tick, all have a limit", "tick, credits ample"), row("  ", "end, all have a limit", "end, credits ample"),
            row("  ", "top-up that lifts all limits", None), row("  ", "reversal that limits all calls", None)]
