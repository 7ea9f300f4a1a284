"""Hashes of keys and indices of sparse matrices are checked."""

import numpy as np
import pytest
from model_values import copy_value, decode, encode
from scipy import sparse

from sklearn_rnn.persistence._checks import check_hashes, check_sparse
from sklearn_rnn.persistence._errors import ModelFileError

COLLIDING = [k * (2**61 - 1) for k in range(5000)]


def test_hashes_are_checked():
    check_hashes([*range(100), *map(str, range(100)), 1.5])
    check_hashes([float(2**k) for k in range(900)])
    with pytest.raises(ModelFileError, match="same hash"):
        check_hashes(COLLIDING)


def test_indices_of_sparse_matrices_are_checked():
    objects, arrays, root = encode(sparse.csr_matrix(np.eye(3)))
    for name in ("1", "2"):
        damaged = {key: array.copy() for key, array in arrays.items()}
        damaged[name][1] = 99
        with pytest.raises(ModelFileError, match="indices of a sparse matrix"):
            decode(objects, damaged, root)
    overflow = {**arrays, "2": np.array([0, 2**31 - 1, -(2**31), 3], np.int32)}
    with pytest.raises(ModelFileError, match="indices of a sparse matrix"):
        decode(objects, overflow, root)


def test_empty_matrices_are_valid():
    for shape in ((0, 3), (3, 0), (2, 2)):
        assert copy_value(sparse.csr_matrix(shape)).shape == shape
    check_sparse([np.zeros(0), np.zeros(0, int), np.zeros(1, int)], 0, 0)
