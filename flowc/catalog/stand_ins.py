"""What may take the place of a GPU model that is not sold: every machine whose GPUs are at least as capable."""

from __future__ import annotations

from flowc._compiled.gpu_capabilities import MODELS, SAME_FEATURES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.gpus import GpuWord
    from flowc.catalog.model import Catalog, Offer


def stand_ins(word: GpuWord, catalog: Catalog) -> tuple[Offer, ...]:
    """The offers whose GPUs have at least the memory and the features of one of the models that a word means; none for
    models of other makers, and those of which it is not known."""
    needs = [(_features(family), _memory_gb(family, word)) for family in word.families if family in MODELS]
    return tuple(offer for offer in catalog.offers if any(_is_capable(offer, *need) for need in needs))


def _is_capable(offer: Offer, features: tuple[int, ...], memory_gb: int) -> bool:
    machine = offer.type
    return machine.family in MODELS and _features(machine.family) >= features and machine.gpu_memory_gb >= memory_gb


def _features(family: str) -> tuple[int, ...]:
    """What is compared: the compute capability, or an earlier one with all its features."""
    capability = MODELS[family]["capability"]
    return tuple(map(int, SAME_FEATURES.get(capability, capability).split(".")))


def _memory_gb(family: str, word: GpuWord) -> int:
    """As the word says (of a slice, its own), else that of the largest form of the model."""
    return word.memory_gb if word.memory_gb is not None else int(MODELS[family]["memory_gb"])
