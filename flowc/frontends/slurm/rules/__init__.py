"""What sbatch does between the options of one component, after all of them are read."""
