import flowc as flow

task = flow.run("echo rank $FLOW_NODE_RANK of $FLOW_NUM_NODES", instance_type="8xa100", num_instances=2)
task.wait()
assert sorted(line[-11:] for line in task.logs().splitlines()) == ["rank 0 of 2", "rank 1 of 2"], task.logs()
