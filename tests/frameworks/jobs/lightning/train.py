"""Trains until the signal comes; begun again, it ends after a few steps more."""

import os
import socket
import time
from pathlib import Path

import lightning
import torch

FIRST = "SLURM_RESTART_COUNT" not in os.environ


class Model(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch: torch.Tensor, _: int) -> torch.Tensor:
        if FIRST and self.global_step == 5:
            Path("started").touch()
        if FIRST:
            time.sleep(0.05)
        return self.layer(batch).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.resumed_at = checkpoint["global_step"]


model = Model()
trainer = lightning.Trainer(
    accelerator="cpu",
    devices=1,
    num_nodes=2,
    strategy="ddp",
    default_root_dir="checkpoints",
    max_steps=100_000 if FIRST else -1,
    max_epochs=-1 if FIRST else 2,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, torch.utils.data.DataLoader(torch.randn(100_000 if FIRST else 8, 4), batch_size=1))
print(
    f"rank {trainer.global_rank} of {trainer.world_size} on {socket.gethostname()} ended,"
    f" resumed: {getattr(model, 'resumed_at', 0) >= 5}",
    flush=True,
)
