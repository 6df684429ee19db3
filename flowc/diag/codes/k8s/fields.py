"""FC300 to FC315, FC381: fields of Kubernetes objects, in the words of the API server."""

from __future__ import annotations

from flowc.diag.code import Code

_PATH = "job.yaml"
GOOD = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
spec:
  backoffLimit: 0
  activeDeadlineSeconds: 3600
  template:
    spec:
      restartPolicy: Never
      nodeSelector:
        nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3
      containers:
      - name: train
        image: pytorch/pytorch:2.4.0
        command: [python, train.py]
        resources:
          limits:
            nvidia.com/gpu: 8
"""


def _with(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


UNKNOWN_FIELD = Code(
    id="FC300",
    name="unknown-field",
    severity="error",
    title='unknown field "{path}"',
    explain="""\
The object has no such field at this place. The API server refuses it as well (`strict decoding error`); older ones
dropped it in silence and ran another job than the one that was meant. Names are matched letter for letter.

Correct the name or take the field out; `--allow-unknown` makes such findings warnings, and so does `--move` where the
key is no misspelt one: the server passed it over where kubectl did not ask it to be strict.""",
    bad=_with("command:", "commandd:"),
    good=GOOD,
    path=_PATH,
)

UNKNOWN_FIELD_IGNORED = Code(
    id="FC301",
    name="unknown-field-ignored",
    severity="warning",
    title='unknown field "{path}" has no effect',
    explain="""\
The object has no such field at this place, and `--allow-unknown` or `--move` was given: the server leaves it out.

Correct the name or take the field out.""",
    bad=(_with("  backoffLimit: 0\n", "  backoffLimit: 0\n  colour: blue\n"), ("--allow-unknown",)),
    good=GOOD,
    path=_PATH,
)

FIELD_REQUIRED = Code(
    id="FC302",
    name="field-required",
    severity="error",
    title="{path}: Required value",
    explain="""\
The object is not complete without this field, and there is no default for it. The API server refuses it in the same
words.

Add the field.""",
    bad=_with("        image: pytorch/pytorch:2.4.0\n", ""),
    good=GOOD,
    path=_PATH,
)

RESTART_POLICY_REQUIRED = Code(
    id="FC303",
    name="restart-policy-required",
    severity="error",
    title='{path}: Required value: valid values: "OnFailure", "Never"',
    explain="""\
Without restartPolicy a pod has the policy Always, which a Job cannot have: it would never end. The API server refuses
the Job for the same reason.

Write `restartPolicy: Never` to begin each attempt afresh, or `restartPolicy: OnFailure` to keep the files of the
attempt before.""",
    bad=_with("      restartPolicy: Never\n", ""),
    good=GOOD,
    path=_PATH,
)

FIELD_TYPE = Code(
    id="FC304",
    name="field-type",
    severity="error",
    title="{path}: Invalid value: it is {found}, expected {expected}",
    explain="""\
The value has another type than its field wants. Without quotes `yes`, `on` and `y` are bools, `1.10` and `0755` are
numbers; the API server takes none of them for a text (`cannot unmarshal number into Go struct field`).

Put what is meant as text in quotes, and take the quotes off a number.""",
    bad=_with("        command:", "        env:\n        - {name: DEBUG, value: 1}\n        command:"),
    good=GOOD,
    path=_PATH,
)

UNSUPPORTED_VALUE = Code(
    id="FC305",
    name="unsupported-value",
    severity="error",
    title='{path}: Unsupported value: "{value}": supported values: {expected}',
    explain="""\
The field takes one of a few words, written exactly so, capital letters included.

Use one of those that the message lists.""",
    bad=_with("restartPolicy: Never", "restartPolicy: never"),
    good=GOOD,
    path=_PATH,
)

FIELD_BOUNDS = Code(
    id="FC306",
    name="field-bounds",
    severity="error",
    title="{path}: Invalid value: {value}: must be {expected}",
    explain="""\
The value has the right type, but lies outside of what the API server takes.

Choose a value within the bounds.""",
    bad=_with("backoffLimit: 0", "backoffLimit: -1"),
    good=GOOD,
    path=_PATH,
)

FIELD_FORM = Code(
    id="FC307",
    name="field-form",
    severity="error",
    title='{path}: Invalid value: "{value}": must be {expected}',
    explain="""\
Names in Kubernetes follow the rules of host names: lower case, digits and `-`, beginning and ending with a letter or
digit; labels and keys have rules of their own. The API server refuses other ones.

Write it as the message says.""",
    bad=_with("name: train\nspec", "name: Train_1\nspec"),
    good=GOOD,
    path=_PATH,
)

FIELD_INVALID = Code(
    id="FC308",
    name="field-invalid",
    severity="error",
    title="{path}: Invalid value: {value}: {detail}",
    explain="""\
The value breaks a rule of the API server, mostly one that joins it to another field: a request above its limit,
completions without an index.

Do as the message says.""",
    bad=_with("          limits:\n", "          requests: {cpu: 8}\n          limits:\n            cpu: 4\n"),
    good=GOOD,
    path=_PATH,
)

FIELD_FORBIDDEN = Code(
    id="FC309",
    name="field-forbidden",
    severity="error",
    title="{path}: Forbidden: {detail}",
    explain="""\
The field is known, but may not stand here, or not together with another one that is set.

Take one of them out, as the message says.""",
    bad=GOOD + "      volumes:\n      - {name: a, emptyDir: {}, hostPath: {path: /data}}\n",
    good=GOOD,
    path=_PATH,
)

DUPLICATE_VALUE = Code(
    id="FC310",
    name="duplicate-value",
    severity="error",
    title='{path}: Duplicate value: "{value}"',
    explain="""\
Names of containers, volumes and mount paths tell things apart, so none may stand twice.

Rename one of them, or take it out.""",
    bad=GOOD + "      volumes:\n      - {name: a, emptyDir: {}}\n      - {name: a, emptyDir: {}}\n",
    good=GOOD,
    path=_PATH,
)

FIELD_TOO_LONG = Code(
    id="FC311",
    name="field-too-long",
    severity="error",
    title="{path}: Too long: may not be more than {limit} bytes",
    explain="""\
Names and values of labels have 63 characters at most. A Job's name becomes a label of its pods, so that 63 hold for it
too; of an Indexed job, the name with the largest index.

Choose a shorter one.""",
    bad=_with("name: train\nspec", f"name: {'train-' * 10}abcd\nspec"),
    good=GOOD,
    path=_PATH,
)

FIELD_TOO_MANY = Code(
    id="FC312",
    name="field-too-many",
    severity="error",
    title="{path}: Too many: {count}: must have at most {limit} items",
    explain="""\
The API server bounds the length of this list.

Join rules, or split the job.""",
    bad=_with(
        "  backoffLimit: 0\n",
        "  backoffLimit: 0\n  podFailurePolicy:\n    rules:\n"
        + "    - {action: FailJob, onExitCodes: {operator: In, values: [3]}}\n" * 21,
    ),
    good=GOOD,
    path=_PATH,
)

FIELD_NOT_FOUND = Code(
    id="FC313",
    name="field-not-found",
    severity="error",
    title='{path}: Not found: "{value}"',
    explain="""\
The value names something else in the same pod, and there is nothing of that name: a mount without its volume, say.

Correct the name, or add what it names.""",
    bad=GOOD.rstrip("\n") + "\n        volumeMounts:\n        - {name: data, mountPath: /data}\n",
    good=GOOD,
    path=_PATH,
)

QUANTITY_FORM = Code(
    id="FC314",
    name="quantity-form",
    severity="error",
    title='{path}: Invalid value: "{value}": no quantity, expected {expected}',
    explain="""\
A quantity is a number, maybe with a suffix: `m` for thousandths, `k`, `M`, `G`, `T` for powers of 1000, `Ki`, `Mi`,
`Gi`, `Ti` for powers of 1024. There is no `B`, no blank, and case counts: `M` is a million, `m` a thousandth.

Write `500m`, `1.5`, `16Gi` or the like.""",
    bad=_with("          limits:\n", "          limits:\n            memory: 16GB\n"),
    good=GOOD,
    path=_PATH,
)

RESOURCE_NAME = Code(
    id="FC315",
    name="resource-name",
    severity="error",
    title='{path}: Invalid value: "{value}": must be a standard resource type or fully qualified',
    explain="""\
Standard resources are cpu, memory, ephemeral-storage and hugepages-SIZE. All others belong to somebody and carry
their domain: GPUs are `nvidia.com/gpu`.

Write the name in full.""",
    bad=_with("            nvidia.com/gpu: 8\n", "            gpu: 8\n"),
    good=GOOD,
    path=_PATH,
)

TINY_QUANTITY = Code(
    id="FC381",
    name="tiny-quantity",
    severity="warning",
    title='{path}: "{value}" is {size}, less than any program needs',
    explain="""\
`m` is a thousandth, also of a byte: `512m` is half a byte of memory, not 512 MiB. A number without a suffix is bytes.
A container with so little is not even started.

Write `512Mi`, `64Gi` or the like.""",
    bad=_with("          limits:\n", "          limits:\n            memory: 512m\n"),
    good=GOOD,
    path=_PATH,
)
