"""The stages of callfold run, each alone."""
import pathlib
import tempfile

from measure import figures


def profile(load, whole_cpu, rounds):
    """What each stage of callfold run adds, by bench_stages; prints a table of its own. The least of the rounds, not the
    median: a stage is the difference of two figures, and what disturbs a CPU only ever adds to them."""
    stages = ("read", "hash", "decode", "fold", "encode", "write", "checkpoint")
    results = []
    for _ in range(rounds):
        upto = {}
        for stage in stages:
            with tempfile.TemporaryDirectory(dir=load.folder) as folder:
                (pathlib.Path(folder) / "state").mkdir()
                found = figures(load.build / "bench/bench_stages", stage, load.path, load.setup_lines, folder)
            upto[stage] = found["CPU an event"]
        results.append(upto)
    upto, outputs = {stage: min(one[stage] for one in results) for stage in stages}, found
    hashed = upto["hash"] - upto["read"]
    costs = {"read": upto["read"], "decode": upto["decode"] - upto["read"],
             "fold": upto["fold"] - upto["decode"] - hashed, "hash": hashed,
             "encode": upto["encode"] - upto["fold"], "write": upto["write"] - upto["encode"],
             "checkpoint": upto["checkpoint"] - upto["write"], "not explained": whole_cpu - upto["checkpoint"]}
    print(f"\n{load.name}: CPU time an event by stage, of {whole_cpu:.0f} ns in callfold run; "
          f"{outputs['bytes an event']:.0f} bytes in,\n{outputs['outputs an event']:.2f} outputs of "
          f"{outputs['bytes of outputs an event']:.0f} bytes together")
    for stage, cost in costs.items():
        print(f"  {stage:14s} {cost:7.0f} ns  {100 * cost / whole_cpu:4.0f} %  {'#' * round(50 * max(cost, 0) / whole_cpu)}")
