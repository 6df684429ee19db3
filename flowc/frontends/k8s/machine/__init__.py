"""What a pod asks of its machine: GPUs, CPUs, memory, labels of nodes."""
