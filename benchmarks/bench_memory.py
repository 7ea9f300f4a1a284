"""Peak memory of fit on 100,000 texts of 200 words, vocabulary 20,000.

A dense one-hot encoding of them would take 1.6 TB. The texts come from a generator;
vectorizer and classifier stand in a Pipeline; one epoch, both embeddings.
"""

import resource
import subprocess
import sys

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, WordVectorizer

TEXTS, WORDS, VOCABULARY = 100_000, 200, 20_000


def texts(rng):
    words = np.array([f"w{i}" for i in range(VOCABULARY)], dtype=object)
    for _ in range(TEXTS):
        yield " ".join(words[rng.integers(0, VOCABULARY, WORDS)])


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(embedding):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, TEXTS)
    imported = peak()
    model = make_pipeline(
        WordVectorizer(),
        RNNClassifier(
            "gru", 32, embedding=embedding, max_epochs=1, batch_size=256, random_state=0
        ),
    )
    model.fit(texts(rng), y)
    print(
        f"embedding={embedding!r}: peak {peak():.2f} GiB, of which imports "
        f"{imported:.2f} GiB; vocabulary {model[0].vocabulary_size_}"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(int(sys.argv[1]) if sys.argv[1].isdigit() else sys.argv[1])
    else:
        for embedding in ("32", "onehot"):  # a process each: a peak never falls
            subprocess.run([sys.executable, __file__, embedding], check=True)
