"""The cluster that TensorFlow reads off Slurm's variables of a step."""

import tensorflow as tf

resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(gpus_per_node=2, gpus_per_task=1, auto_set_gpu=False)
workers = resolver.cluster_spec().as_dict()["worker"]
print(f"worker {resolver.get_task_info()[1]} of {len(workers)}: {' '.join(workers)}", flush=True)
