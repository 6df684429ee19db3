"""Warnings of what sbatch takes in silence though something else was meant."""
