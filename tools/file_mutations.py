"""Mutations of model files, with and without a valid checksum."""

import hashlib
import json

import numpy as np
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as dump_arrays

from sklearn_rnn._core.container import PREFIX

NUMBERS = [0, 1, -1, 4, 255, 2**31, 2**32 - 1, 2**53, 2**62, 2**64, -(2**63)]
VALUES: list = [None, True, 1.5, 1e308, "", "x", "<f8", [], {}, [0], [1], ["nan"]]
HOSTILE = [
    ["import", "os:system"],
    ["function", "os.system"],
    ["function", "builtins.eval"],
    ["class", "subprocess.Popen"],
    ["estimator", "subprocess.Popen", ["args"], ["true"]],
    ["object", "os.system", [], []],
    ["partial", [0], [1], [2]],
    ["Generator", [0]],
    ["dtype", "|O"],
    ["array", "0", {"dtype": "|O", "shape": [1]}],
    ["array", "0", {"dtype": "<U1", "shape": [2**40]}],
    ["list", [[0], [0], [0], [0]]],
]
EXTREME = [0, 1, 2, 255, 65535, 2**31, 2**40, 2**63 - 1]


def seal(content):
    """Return the content of a file with its checksum."""
    return content + hashlib.sha256(content).digest()


def split_file(content):
    """Return the fields of the prefix, the header and the arrays of a file."""
    fields = list(PREFIX.unpack(content[: PREFIX.size]))
    body = content[PREFIX.size : -32]
    return fields, body[: fields[3]], body[fields[3] :]


def join_file(fields, header, arrays):
    """Return a file with consistent lengths and a valid checksum."""
    fields = [*fields[:3], len(header), len(arrays)]
    return seal(PREFIX.pack(*fields) + header + arrays)


def replace_header(content, header):
    """Return a file with another header and a valid checksum."""
    fields, _, arrays = split_file(content)
    return join_file(fields, header, arrays)


def mutate_bytes(content, other, rng):
    """Flip bits, or cut, overwrite, insert, delete or splice a part."""
    content, size = bytearray(content), len(content)
    place, length = int(rng.integers(size)), int(rng.integers(1, 40))
    kind = rng.integers(6)
    if kind == 0:
        for place in rng.integers(size, size=rng.integers(1, 4)):
            content[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del content[place:]
    elif kind == 2:
        content[place : place + length] = rng.bytes(length)
    elif kind == 3:
        content[place:place] = content[place : place + length]
    elif kind == 4:
        del content[place : place + length]
    else:
        start = int(rng.integers(len(other)))
        content[place:] = other[start:]
    return bytes(content)


def mutate_parts(content, other, rng):
    """Change header or arrays, with consistent lengths and a valid checksum."""
    fields, header, arrays = split_file(content)
    kind = rng.integers(9)
    if kind == 8:
        arrays = mutate_arrays(arrays, rng)
    elif kind == 0:
        header = mutate_bytes(header, split_file(other)[1], rng)
    elif kind == 1:
        arrays = mutate_bytes(arrays, split_file(other)[2], rng)
    elif kind == 2:
        arrays = mutate_table(arrays, rng)
    elif kind == 3:
        arrays = mutate_numbers(arrays, rng)
    else:
        parsed = json.loads(header)
        for _ in range(rng.integers(1, 3)):
            mutate_json(parsed, rng)
        header = json.dumps(parsed).encode()
    return join_file(fields, header, arrays)


def mutate_table(arrays, rng):
    """Change the description of an array: its type, shape or place."""
    size = int.from_bytes(arrays[:8], "little")
    table = json.loads(arrays[8 : 8 + size])
    if not table:
        return arrays
    mutate_json(table, rng)
    text = json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text + arrays[8 + size :]


def mutate_arrays(arrays, rng):
    """Give an array another shape, type or length, or exchange two arrays."""
    found = load_arrays(arrays)
    if not found:
        return arrays
    name, other = (choose(sorted(found), rng) for _ in range(2))
    array, kind = found[name], rng.integers(7)
    if kind == 0:
        found[name], found[other] = found[other], array
    elif kind == 1:
        found[name] = np.ascontiguousarray(array.T)
    elif kind == 2:
        found[name] = array.reshape(choose([-1, (-1, 1), (1, -1)], rng))
    elif kind == 3:
        dtype = choose([np.float16, np.float32, np.float64, np.int8, np.int64], rng)
        found[name] = array.astype(dtype)
    elif kind == 4:
        found[name] = array.ravel()[: int(rng.integers(3))]
    elif kind == 5:
        found[name] = np.concatenate([np.atleast_1d(array)] * 2)
    else:
        found[name] = np.zeros((0, int(choose(EXTREME[:-1], rng))), array.dtype)
    return dump_arrays(found)


def mutate_numbers(arrays, rng):
    """Overwrite eight bytes of the arrays with an extreme number."""
    start = 8 + int.from_bytes(arrays[:8], "little")
    if len(arrays) - start < 8:
        return arrays
    place = start + int(rng.integers((len(arrays) - start) // 8)) * 8
    number = EXTREME[int(rng.integers(len(EXTREME)))]
    if rng.random() < 0.3:
        number = int.from_bytes(rng.bytes(8), "little")
    return arrays[:place] + number.to_bytes(8, "little") + arrays[place + 8 :]


def mutate_json(parsed, rng):
    """Replace, remove, repeat or swap a random item of nested lists and dicts."""
    places = []

    def collect(node):
        keys = range(len(node)) if isinstance(node, list) else list(node)
        for key in keys:
            places.append((node, key))
            if isinstance(node[key], (list, dict)):
                collect(node[key])

    collect(parsed)
    node, key = places[int(rng.integers(len(places)))]
    other_node, other_key = places[int(rng.integers(len(places)))]
    kind = rng.integers(7)
    if kind == 6 and isinstance(node[key], list):
        node[key] = json.loads(json.dumps(choose(HOSTILE, rng)))
    elif kind == 0:
        del node[key]
    elif kind == 1:
        node[key] = json.loads(json.dumps(other_node[other_key]))
    elif kind == 2:
        node[key] = choose(VALUES, rng)
    elif kind == 3 and isinstance(node, list):
        node.insert(key, json.loads(json.dumps(node[key])))
    elif isinstance(node[key], (int, float)) and rng.random() < 0.5:
        node[key] = node[key] + int(rng.choice([-1, 1, 2]))
    else:
        node[key] = choose(NUMBERS, rng)


def choose(values, rng):
    """Choose one of the values."""
    return values[int(rng.integers(len(values)))]
