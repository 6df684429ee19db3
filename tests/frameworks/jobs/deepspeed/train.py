"""Adds up the ranks, by torch alone: without GPUs DeepSpeed's own backend first compiles C++ for minutes, anywhere."""

import os
import socket

import torch
from torch import distributed

rank, size = int(os.environ["SLURM_PROCID"]), int(os.environ["SLURM_NTASKS"])
distributed.init_process_group("gloo", rank=rank, world_size=size)
total = torch.tensor([rank + 1.0])
distributed.all_reduce(total)
print(f"rank {rank} of {size} on {socket.gethostname()}, sum {int(total)}", flush=True)
distributed.destroy_process_group()
