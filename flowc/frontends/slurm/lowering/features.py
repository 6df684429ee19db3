"""What `--constraint` asks for beyond names: how many nodes its counts need, and which GPU models it leaves.

Counts were measured on Slurm 22.05: they raise the number of nodes when the job starts; until then the controller shows
the number without them.
"""

from __future__ import annotations

from flowc._compiled.slurm_lowering import GPU_WORDS
from flowc.frontends.slurm.values.lists import constraint_names, constraint_tree
from flowc.lalr import Node


def nodes_wanted(constraint: str) -> int:
    """The nodes that the counts of a constraint need at least, 0 without counts: `a*2` two, `[a*2&b*1]` three."""
    wanted = 0
    for node in constraint_tree(constraint).nodes():
        if node.name == "choice":
            wanted = max(wanted, sum(_count(item) for item in node.nodes()))
        wanted = max(wanted, _count(node))
    return wanted


def _count(node: Node) -> int:
    return sum(int(text[1:]) for text in node.texts("TIMES"))


def gpu_word(name: str) -> str | None:
    """The GPU model in a name (`a100` in `nvidia_a100-80gb`), None where none is known."""
    found = [word for word in GPU_WORDS if word in name.lower()]
    return max(found, key=len) if found else None


def two_models(constraint: str, model: str | None) -> str | None:
    """The GPU models that no node can have together, as a message names them: features of the constraint, and the
    model that is asked for elsewhere (None: any). None when the constraint can hold."""
    tree = constraint_tree(constraint)
    names = [name for name in constraint_names(constraint) if gpu_word(name)]
    asked = gpu_word(model) if model is not None else None
    if not names or (model is not None and asked is None):
        return None
    candidates = [asked] if asked is not None else [gpu_word(name) for name in names]
    if any(_holds(tree, word) for word in candidates):
        return None
    other = next((name for name in names if gpu_word(name) != candidates[0]), names[-1])
    return f"`{names[0] if model is None else model}` and `{other}` in `--constraint`"


def _holds(node: Node, word: str | None) -> bool:
    """Whether nodes whose GPUs are of one model can satisfy an expression; other features may be anywhere."""
    holds: bool | None = None
    operator = "&"
    for child in node.children:
        if not isinstance(child, Node):
            if child.name == "OPERATOR":
                operator = child.text
                continue
            if child.name != "FEATURE":
                continue
            own = gpu_word(child.text) in (None, word)
        else:
            own = _holds(child, word)
        holds = own if holds is None else (holds or own) if operator == "|" else (holds and own)
    return holds is None or holds
