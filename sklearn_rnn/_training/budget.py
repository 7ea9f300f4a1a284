"""Number of epochs and patience for the parameters' value "auto"."""

# Number of training steps. Small networks need some hundred of them, even if there are
# few sequences.
N_UPDATES = 600

# Bounds of the number of epochs, for large and for tiny training sets. Networks overfit
# words sooner than characters and numbers.
FEWEST_EPOCHS = 24
FEWEST_EPOCHS_OF_WORDS = 8
FEWEST_EPOCHS_OF_WINDOWS = 8  # which overlap, so that each step is read many times
MOST_EPOCHS = 200


def choose_epochs(n_batches: int, fewest: int = FEWEST_EPOCHS) -> int:
    """Return the number of epochs that makes about ``N_UPDATES`` training steps."""
    return min(max(-(-N_UPDATES // n_batches), fewest), MOST_EPOCHS)


def resolve_patience(n_iter_no_change: int | str, n_epochs: int) -> int:
    """Return ``n_iter_no_change``; if it is "auto", a quarter of the epochs."""
    if n_iter_no_change != "auto":
        return int(n_iter_no_change)
    return max(-(-n_epochs // 4), 5)
