import socket

import ipyparallel

client = ipyparallel.Client("ipython/security/ipcontroller-client.json", timeout=60)
client.wait_for_engines(4, timeout=100)
hosts = sorted(set(client[:].apply_sync(socket.gethostname)))
total = sum(client[:].map_sync(lambda number: number * number, range(10)))
print(f"{len(client)} engines on {' '.join(hosts)}, sum {total}", flush=True)
