import socket
import time

import ray

ray.init(log_to_driver=False)


@ray.remote(scheduling_strategy="SPREAD")
def host() -> str:
    time.sleep(1)
    return socket.gethostname()


hosts = ray.get([host.remote() for _ in range(8)])
print(f"{len(ray.nodes())} nodes, tasks ran on {' '.join(sorted({*hosts}))}", flush=True)
