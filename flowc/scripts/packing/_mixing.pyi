def likelihoods(
    plain: bytes,
    one: int,
    half: int,
    unit: int,
    evidence: int,
    sure: int,
    divisor: int,
    surprised: int,
    weight: int,
    learning: int,
    /,
) -> bytes: ...
def information(plain: bytes, likely: bytes, bits: int, one: int, /) -> float: ...
