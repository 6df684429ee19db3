import flowc as flow
from flowc import FlowError, ValidationError

try:
    flow.run("python train.py", instance_type="invalid")
except ValidationError as error:
    print(error.suggestions[0])
except FlowError as error:
    raise SystemExit(error) from error
