import socket
import time

import ray

for _ in range(120):
    try:
        ray.init(address="auto", log_to_driver=False)
        break
    except ConnectionError:
        time.sleep(1)
while ray.cluster_resources().get("CPU", 0) < 4:
    time.sleep(0.5)


@ray.remote(scheduling_strategy="SPREAD")
def host() -> str:
    time.sleep(1)
    return socket.gethostname()


hosts = ray.get([host.remote() for _ in range(8)])
print(
    f"{len(ray.nodes())} nodes with {int(ray.cluster_resources()['CPU'])} CPUs,"
    f" tasks ran on {' '.join(sorted({*hosts}))}",
    flush=True,
)
