import sys

from mpi4py.futures import MPIPoolExecutor


def square(number: int) -> int:
    return number * number


if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        squares = list(pool.map(square, range(6)))
        workers = pool.num_workers
    print(f"{sys.argv[1]} pool of {workers}: {' '.join(map(str, squares))}", flush=True)
