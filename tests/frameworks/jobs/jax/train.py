import socket

import jax
from jax.experimental import multihost_utils

jax.distributed.initialize()
total = multihost_utils.process_allgather(jax.numpy.array(jax.process_index() + 1)).sum()
print(
    f"process {jax.process_index()} of {jax.process_count()} on {socket.gethostname()},"
    f" {jax.device_count()} devices, sum {total}",
    flush=True,
)
