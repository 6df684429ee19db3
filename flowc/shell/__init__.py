"""Reads a shell's text: what of it is run, and as what. Knows no Slurm and no job."""
