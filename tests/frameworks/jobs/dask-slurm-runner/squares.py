import os

from dask.distributed import Client
from dask_jobqueue.slurm import SLURMRunner

with SLURMRunner(scheduler_file=f"scheduler-{os.environ['SLURM_JOB_ID']}.json") as runner, Client(runner) as client:
    client.wait_for_workers(runner.n_workers)
    hosts = sorted(client.run(lambda: __import__("socket").gethostname()).values())
    total = sum(client.gather(client.map(lambda number: number * number, range(10))))
    print(f"{len(hosts)} workers on {' '.join(dict.fromkeys(hosts))}, sum {total}", flush=True)
