import socket

import torch
from accelerate import Accelerator

it = Accelerator(cpu=True)
value = it.reduce(torch.tensor([it.process_index + 1]), "sum")
print(
    f"process {it.process_index} of {it.num_processes}, local {it.local_process_index} on {socket.gethostname()},"
    f" sum {value.item()}",
    flush=True,
)
it.end_training()
