"""
Co-writing in a terminal
========================

The network suggests the ten likeliest next words. Pick one of them, or type one or
several words of your own:

    python examples/cowrite.py --prompt "Call me Ishmael ."
    python examples/cowrite.py --text my_book.txt --characters
    python examples/cowrite.py --model ishmael.pickle

The last command trains once and saves the generator in that file; later runs load it
from there. Unpickling runs code, so do not give a file that you do not trust.
"""

import argparse
import pickle
import re
from pathlib import Path

from sklearn_rnn import CharVectorizer, SequenceGenerator, WordVectorizer
from sklearn_rnn.datasets import load_moby_dick

HELP = (
    "number: pick   text: type it (\\n is a newline, \\\\ a backslash)   ? wh: suggest "
    "tokens that start with wh   u: undo   t 0.8: temperature   b: branch   "
    "w: other branch   s FILE: save   q: quit   ('=u' types the text u)"
)


def model_for(args):
    """A generator that has learned the text, now or in an earlier run."""
    if args.model and args.model.exists():
        return pickle.loads(args.model.read_bytes())
    text = Path(args.text).read_text("utf-8") if args.text else load_moby_dick().data
    vectorizer = CharVectorizer()
    if not args.characters:
        vectorizer = WordVectorizer(lowercase=False, min_count=args.min_count)
    print(f"learning {len(text):,} characters ...", flush=True)
    model = SequenceGenerator(
        vectorizer, window=20, max_epochs=args.epochs, random_state=0, verbose=1
    )
    model.fit(text)
    if args.model:
        args.model.write_bytes(pickle.dumps(model))
    return model


def play(session):
    """Read what the person wants until they quit or the input ends."""
    branches, prefix = [session], ""
    print(HELP)
    while True:
        session = branches[0]
        print(f"\n{session.text}")
        if not session.is_over:
            suggestions = session.suggest(prefix=prefix)
            for place, (token, probability) in enumerate(suggestions):
                print(f"  {place}  {probability:6.1%}  {token!r}")
        try:
            answer = input("> ")
        except EOFError:
            return session
        if answer == "q":
            return session
        prefix = answer[2:] if answer.startswith("? ") else ""
        if prefix:
            continue
        try:
            obey(answer, branches)
        except (ValueError, OSError) as error:
            print(error)


def obey(answer, branches):
    """Do one thing that the person typed."""
    session = branches[0]
    command, _, argument = answer.partition(" ")
    if answer.isdecimal():
        session.pick(int(answer))
    elif command == "u":
        session.undo(int(argument or 1))
    elif command == "t" and argument:
        session.temperature = float(argument)
    elif command == "b" and not argument:
        branches.insert(0, session.branch())
    elif command == "w" and not argument:
        branches.append(branches.pop(0))
    elif command == "s" and argument:
        Path(argument).write_text(session.to_json(), "utf-8")
    elif answer:
        session.accept(read_typed(answer.removeprefix("=")))


def read_typed(answer):
    r"""The text that was typed: \n stands for a newline, \\ for a backslash."""
    return re.sub(r"\\([n\\])", lambda m: "\n" if m[1] == "n" else m[1], answer)


def main():
    parser = argparse.ArgumentParser(description="Write together with a network.")
    parser.add_argument("--text", help="a text file; Moby Dick if not given")
    parser.add_argument("--model", type=Path, help="a file that keeps the generator")
    parser.add_argument("--prompt", default="", help="how your text begins")
    parser.add_argument("--characters", action="store_true", help="instead of words")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--min-count", type=int, default=5, help="keep words seen so")
    args = parser.parse_args()
    session = play(model_for(args).session(args.prompt))
    found = session.statistics()
    print(f"\n{session.text}\n")
    if found.n_tokens:
        print(
            f"{found.n_tokens} tokens, {found.n_picked} picked; {found.suggested:.0%} "
            f"were among the ten suggested; {found.keystrokes_saved:.0%} of the "
            f"keystrokes saved; perplexity {found.perplexity:.0f}"
        )


if __name__ == "__main__":
    main()
