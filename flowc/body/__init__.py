"""What the texts of a job rely on: programs, modules, paths, calls of Slurm."""
