import os
import socket
import sys

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
value = torch.tensor([dist.get_rank() + 1])
dist.all_reduce(value)
print(
    f"{sys.argv[1]} {dist.get_rank()} of {dist.get_world_size()}, local {os.environ['LOCAL_RANK']}"
    f" on {socket.gethostname()}, sum {value.item()}",
    flush=True,
)
dist.destroy_process_group()
