from flowc import Flow, TaskConfig

script = """
set -e
python3 - <<'PY'
import json
from pathlib import Path
state_file = Path('state.json')
step = json.loads(state_file.read_text()).get('step', 0) if state_file.exists() else 0
while step < 5:
    step += 1
    state_file.write_text(json.dumps({'step': step}))
print('Done at step', step)
PY
"""
config = TaskConfig(name="checkpointing", instance_type="a100", command=script, max_run_time_hours=0.5, priority="low")
task = Flow().run(config)
task.wait()
assert task.logs() == "Done at step 5\n"
