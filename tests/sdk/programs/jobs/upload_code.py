import os
from pathlib import Path

import flowc as flow

Path("project").mkdir()
os.chdir("project")
Path("train.py").write_text("print('hi')")
task = flow.run("python3 train.py", gpu="a100", upload_code=True, wait=True)
assert (task.status, task.logs().split()[-1]) == ("completed", "hi"), task.logs()
