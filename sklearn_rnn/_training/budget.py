"""How long to train if the user does not say it."""

# Number of training steps. Small networks need some hundred of them to learn anything,
# however few the sequences are.
N_UPDATES = 600

# A large training set is read so often at least, and a tiny one no more often than
# that. Words are sooner learned by heart than characters and numbers.
FEWEST_EPOCHS = 24
FEWEST_EPOCHS_OF_WORDS = 8
FEWEST_EPOCHS_OF_WINDOWS = 8  # which overlap, so that each step is read many times
MOST_EPOCHS = 200


def choose_epochs(n_batches: int, fewest: int = FEWEST_EPOCHS) -> int:
    """The number of epochs of ``n_batches`` that make ``N_UPDATES`` training steps."""
    return min(max(-(-N_UPDATES // n_batches), fewest), MOST_EPOCHS)


def resolve_patience(n_iter_no_change: int | str, n_epochs: int) -> int:
    """``n_iter_no_change``, or if it is "auto" a quarter of the epochs."""
    if n_iter_no_change != "auto":
        return int(n_iter_no_change)
    return max(-(-n_epochs // 4), 5)
