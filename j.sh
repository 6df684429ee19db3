#!/bin/bash
#SBATCH -t 10
#SBATCH --gpus-per-task=0 -n1

srun python x.py
