from pathlib import Path

import flowc as flow

Path("user_code.py").write_text("def add_and_scale(a, b, scale=1):\n    return (a + b) * scale\n")
module = Path("user_code.py").resolve()
result = flow.invoke(
    str(module), "add_and_scale", args=[3, 4], kwargs={"scale": 10}, gpu="a100", max_price_per_hour=5.0
)
assert result == 70
