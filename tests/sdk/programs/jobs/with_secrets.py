import os

import flowc as flow

os.environ["HF_TOKEN"] = "hf_secretsecretsecret"
task = flow.run("echo ${#HF_TOKEN}", gpu="a100", secrets=["HF_TOKEN"], wait=True)
assert task.logs().split()[-1] == "21"
assert "secretsecret" not in repr(task)
