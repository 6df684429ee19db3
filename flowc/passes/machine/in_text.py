"""Whether the text of a job that asks for no GPUs uses some all the same."""

from __future__ import annotations

from flowc.patterns import at_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

_MOST_TEXT = 100_000
_MOST = 20  # mentions that are looked at
# How many of a machine, or just that there are some.
_counted = at_words(
    r"(?<![\w-])(?:(?:N?_?GPUS?_PER_NODE|NUM_GPUS|NGPUS|N_GPUS)=\"?|--nproc[_-]per[_-]node[= ])([1-8])(?!\w)"
    r"|(?<![\w])CUDA_VISIBLE_DEVICES=\"?([0-7](?:,[0-7]){0,7})(?![\w,])",
    ("GPU", "--nproc", "CUDA_VISIBLE_DEVICES="),
)
_used = at_words(
    r"(?<![\w./$-])(?:nvidia-smi|torchrun|deepspeed)(?![\w.=/-])|(?<![\w-])--nv(?![\w-])|"
    r"(?<=[ \t/])(?:cudnn|cuDNN|nccl|NCCL)(?=[/\s]|\Z)",
    ("nvidia-smi", "torchrun", "deepspeed", "--nv", "cudnn", "cuDNN", "nccl", "NCCL"),
)
_MODULES = ("module ", "ml ")


def gpus_in_text(job: Job) -> tuple[str, int] | None:
    """The words that say so, and how many GPUs a machine is to have."""
    text = " ".join((job.run.text or "", *job.run.argv, *job.run.args))[:_MOST_TEXT]
    for find in (_counted, _used):
        for match, _ in zip(find(text), range(_MOST), strict=False):
            before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if "#" in before or (match[0].lower() in ("cudnn", "nccl") and not before.lstrip().startswith(_MODULES)):
                continue
            if find is _used:
                return match[0], 1
            return match[0].replace('"', ""), int(match[1]) if match[1] else match[2].count(",") + 1
    return None
