"""Shared functions of the benchmark scripts: fair timing and the data folder."""

import argparse
import os
import platform
import statistics
import time
from datetime import date
from pathlib import Path

import sklearn
import torch


def environment():
    """One line that describes versions and machine."""
    return (
        f"{date.today()}  {platform.machine()}  {os.cpu_count()} cores  "
        f"{torch.get_num_threads()} thread(s)  torch {torch.__version__}  "
        f"scikit-learn {sklearn.__version__}  {describe_device()}"
    )


def chosen_device():
    """The device given by --device, "cpu" by default."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    return parser.parse_known_args()[0].device


def describe_device(device=None):
    """The name of a GPU, or "cpu"."""
    device = torch.device(device or chosen_device())
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def synchronize(device=None):
    """Wait until a GPU has finished its work."""
    if torch.device(device or chosen_device()).type == "cuda":
        torch.cuda.synchronize()


def interleaved(repeats, **jobs):
    """Median seconds of each job; jobs take turns, so that noise affects all alike."""
    seconds = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(repeats):
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            synchronize()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def data_folder():
    """Folder given by --data or SKLEARN_RNN_DATA, or None with a printed message."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.environ.get("SKLEARN_RNN_DATA"))
    folder = parser.parse_known_args()[0].data
    if folder is None or not Path(folder).is_dir():
        print("skipped: name the data folder by --data or SKLEARN_RNN_DATA")
        return None
    return Path(folder)
