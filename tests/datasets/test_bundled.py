"""Bundled data files: reading, compression and licences."""

import gzip
import inspect
import tomllib
from pathlib import Path

import pytest

from sklearn_rnn.datasets import load_co2, load_letters, load_moby_dick, load_sunspots
from sklearn_rnn.datasets._bundled import read_bundled

ROOT = Path(__file__).parents[2]
DATASETS = ROOT / "sklearn_rnn" / "datasets"


def test_a_file_is_read_as_text():
    text = read_bundled("co2.csv")
    assert text.encode() == (DATASETS / "data" / "co2.csv").read_bytes()


def test_a_compressed_file_is_unpacked_and_read_as_utf_8():
    packed = (DATASETS / "data" / "names.tsv.gz").read_bytes()
    text = read_bundled("names.tsv.gz")
    assert text.encode("utf-8") == gzip.decompress(packed)
    assert "Nguyễn Thị Vạn" in text


def test_a_file_that_does_not_exist_is_an_error():
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        read_bundled("nothing.csv")


@pytest.mark.parametrize(
    ("load", "source"),
    [
        (load_co2, "public domain"),
        (load_moby_dick, "CC0 1.0"),
        (load_letters, "public domain"),
        (load_sunspots, "public domain"),
    ],
)
def test_every_data_set_names_its_licence(load, source):
    assert source in " ".join(load().DESCR.split())
    assert source in inspect.getdoc(load)


def test_wheel_contains_all_data_and_their_licences():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (pattern,) = config["tool"]["setuptools"]["package-data"]["sklearn_rnn.datasets"]
    packed = {path.name for path in DATASETS.glob(pattern)}
    data = {"co2.csv", "letters.txt", "moby_dick.txt.gz"}
    data |= {"names.tsv.gz", "sunspots.csv"}
    licences = {f"{name.split('.')[0]}-LICENSE.txt" for name in data}
    assert packed == data | licences

    patterns = config["project"]["license-files"]
    shown = {path.name for pattern in patterns for path in ROOT.glob(pattern)}
    assert shown == {"LICENSE", "Apache-2.0.txt"} | licences  # names: Apache


@pytest.mark.parametrize("name", ["moby_dick.txt.gz", "names.tsv.gz"])
def test_compressed_data_contain_no_time_stamp(name):
    header = (DATASETS / "data" / name).read_bytes()[:8]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3:8] == bytes(5)  # no file name in the flags, modified at 0
