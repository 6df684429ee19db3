import flowc as flow

data = {"name": "data", "mount_path": "/data", "interface": "file"}
prepare = flow.run("echo prep >/data/x", gpu="a100", name="prep", volumes=[{**data, "size_gb": 100}], wait=True)
train = flow.run("cat /data/x", gpu="a100", name="train", volumes=[data], wait=True)
assert (prepare.status, train.status) == ("completed", "completed")
