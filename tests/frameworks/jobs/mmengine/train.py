"""The first node's name is asked of `scontrol` by the framework, out of the script's sight."""

import os
import sys

import torch
from mmengine.dist import all_reduce, get_rank, get_world_size, init_dist

torch.cuda.device_count = lambda: 1
torch.cuda.set_device = lambda device: None
init_dist(sys.argv[2], backend="gloo")
total = torch.tensor([get_rank() + 1.0])
all_reduce(total)
print(f"rank {get_rank()} of {get_world_size()} by way of {os.environ['MASTER_ADDR']}, sum {int(total)}", flush=True)
