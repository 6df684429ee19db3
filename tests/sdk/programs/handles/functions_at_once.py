from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flowc import Flow

Path("experiment.py").write_text("def run(hyper, seed):\n    return {'lr': hyper['lr'], 'seed': seed}\n")
flow = Flow()
with ThreadPoolExecutor(3) as pool:
    futures = [
        pool.submit(flow.invoke, "experiment.py", "run", {"lr": 0.1}, seed=seed, gpu="a100") for seed in range(3)
    ]
    assert [each.result() for each in futures] == [{"lr": 0.1, "seed": seed} for seed in range(3)]
