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
