"""What is of Slurm alone."""
