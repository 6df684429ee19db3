import socket
import sys

from distributed import Client

with Client(sys.argv[1], timeout=60) as client:
    client.wait_for_workers(4)
    hosts = sorted(set(client.run(socket.gethostname).values()))
    threads = sum(client.nthreads().values())
    total = sum(client.gather(client.map(lambda number: number * number, range(10))))
    print(f"{len(client.nthreads())} workers with {threads} threads on {' '.join(hosts)}, sum {total}", flush=True)
    client.retire_workers()
    client.shutdown()
