"""
Co-writing in a terminal
========================

The network suggests the ten likeliest next words. Pick one of them by its number, or
type one or several words of your own::

    python examples/cowrite.py --prompt "It was the"
    python examples/cowrite.py --text my_book.txt --characters
    python examples/cowrite.py --model ishmael.skrnn
    python examples/cowrite.py --page ishmael.html

The first command trains on Moby Dick, the second one on the characters of a text file.
The third one trains once and saves the generator in a model file, from which later runs
load it. Loading a model file does not run code from it. The fourth one writes a page
that does the same in a browser, and opens it.

This is a session of the first command, after two epochs of training:

.. code-block:: text

    Type "?" for the commands, or "=TEXT" to add TEXT as it is.

    It was the
      0    1.9%  'whale'
      1    1.9%  'ship'
      2    1.6%  'most'
      3    1.4%  'great'
      4    1.3%  'first'
      5    1.2%  'very'
      6    1.1%  'Pequod'
      7    1.1%  'same'
      8    1.0%  'whole'
      9    0.9%  'other'
    > 6

    It was the Pequod
      0   21.3%  '’'
      1   14.5%  ','
      2    7.4%  '.'
      3    4.8%  ';'
      4    3.6%  'was'
      5    2.9%  'to'
      6    2.9%  'had'
      7    2.5%  'in'
      8    2.1%  'of'
      9    1.4%  'and'
    > of

    It was the Pequod of
      0   32.2%  'the'
      1    7.5%  'his'
      2    5.0%  'a'
      3    1.9%  'this'
      4    1.9%  'all'
      5    1.8%  'that'
      6    1.4%  'him'
      7    1.3%  'their'
      8    1.0%  'it'
      9    0.9%  'them'
    > ? wh

    It was the Pequod of
      0    0.9%  'which'
      1    0.3%  'whales'
      2    0.2%  'what'
      3    0.2%  'whaling'
      4    0.1%  'whom'
      5    0.1%  'white'
      6    0.1%  'whalemen'
      7    0.1%  'whale'
      8    0.0%  'whose'
      9    0.0%  'whatever'
    > 0

    It was the Pequod of which
      0   13.6%  'the'
      1   10.3%  ','
      2    5.9%  'he'
      3    3.0%  'I'
      4    3.0%  'it'
      5    2.8%  'a'
      6    2.3%  'in'
      7    2.1%  'that'
      8    1.9%  'they'
      9    1.7%  'is'
    > t abc
    t takes a number, such as 't 0.8'; got 'abc'.
    Type "?" for the commands, or "=TEXT" to add TEXT as it is.

    It was the Pequod of which
      0   13.6%  'the'
      1   10.3%  ','
      2    5.9%  'he'
      3    3.0%  'I'
      4    3.0%  'it'
      5    2.8%  'a'
      6    2.3%  'in'
      7    2.1%  'that'
      8    1.9%  'they'
      9    1.7%  'is'
    > q

    It was the Pequod of which

    3 tokens, 2 picked; 67% were among the ten suggested
    56% of the keystrokes saved; perplexity 77

See :class:`~sklearn_rnn.WritingSession` for the same in Python.
"""

import argparse
import re
import webbrowser
from pathlib import Path

from sklearn_rnn import (
    CharVectorizer,
    ModelFileError,
    SequenceGenerator,
    WordVectorizer,
    load,
    save,
)
from sklearn_rnn.datasets import load_moby_dick

COMMANDS = {
    "3": "pick suggestion 3",
    "white whale": "add this text; \\n is a newline and \\\\ a backslash",
    "=u": "add the text u, although u is a command",
    "? wh": "suggest tokens that start with wh",
    "u": "undo the last token; u 3 undoes three tokens",
    "t 0.8": "set the temperature to 0.8; lower values sharpen the suggestions",
    "b": "branch: copy the text, to continue it in another way",
    "w": "switch to the other branch",
    "s FILE": "save the session in FILE",
    "?, help": "show these commands",
    "q": "quit",
}
HINT = 'Type "?" for the commands, or "=TEXT" to add TEXT as it is.'


def load_or_train(args):
    """A generator that was trained on the text, now or in an earlier run."""
    if args.model and args.model.exists():
        return load_generator(args.model)
    for path in filter(None, (args.model, args.page)):
        if not path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {path.parent}")
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
        save(model, args.model)
    return model


def load_generator(path):
    """The generator in a model file."""
    try:
        model = load(path)
    except ModelFileError as error:
        with path.open("rb") as file:
            is_pickle = file.read(1) == b"\x80"
        if is_pickle:
            raise ValueError(
                f"{path} is a pickle, as earlier versions of this program wrote it. "
                "Reading a pickle can run any code, so only model files are read. "
                "Delete the file or name another one to train the generator again."
            ) from error
        raise
    if not isinstance(model, SequenceGenerator):
        raise ValueError(
            f"{path} contains a {type(model).__name__}; expected a SequenceGenerator."
        )
    return model


def write_page(model, args):
    """Write the page, and open it in the default browser."""
    title = Path(args.text).stem if args.text else "Writing like Moby Dick"
    model.to_html(args.page, title=title, prompt=args.prompt)
    print(f"wrote {args.page}")
    webbrowser.open(args.page.resolve().as_uri())


def play(session):
    """Carry out what the person types until they quit or the input ends."""
    branches, prefix = [session], ""
    print(HINT)
    while True:
        session = branches[0]
        try:
            show(session, prefix)
            answer = input("> ")
        except (EOFError, KeyboardInterrupt):
            return session
        if answer == "q":
            return session
        prefix = answer[2:] if answer.startswith("? ") else ""
        if prefix:
            continue
        try:
            obey(answer, branches)
        except (ValueError, OSError) as error:
            print(f"{error}\n{HINT}")


def show(session, prefix):
    """Print the text and the suggested tokens."""
    print(f"\n{session.text}")
    if session.is_over:
        print("  (the text has ended; u continues it)")
        return
    suggestions = session.suggest(prefix=prefix)
    for place, (token, probability) in enumerate(suggestions):
        print(f"  {place}  {probability:6.1%}  {token!r}")
    if not suggestions:
        print(f"  (no token starts with {prefix!r})")


def obey(answer, branches):
    """Carry out one command, or add the text that was typed."""
    session = branches[0]
    command, _, argument = answer.partition(" ")
    argument = argument.strip()
    if answer.strip() in ("?", "help"):
        print_help()
    elif answer.isdecimal():
        session.pick(int(answer))
    elif command == "u":
        session.undo(read_number("u", argument or "1", int, "u 3"))
    elif command == "t" and argument:
        session.temperature = read_number("t", argument, float, "t 0.8")
    elif command == "b" and not argument:
        branches.insert(0, session.branch())
    elif command == "w" and not argument:
        branches.append(branches.pop(0))
    elif command == "s" and argument:
        Path(argument).write_text(session.to_json(), "utf-8")
        print(f"saved in {argument}")
    elif answer:
        session.accept(read_typed(answer.removeprefix("=")))


def print_help():
    """Print the commands, one per line."""
    width = max(map(len, COMMANDS))
    for command, description in COMMANDS.items():
        print(f"  {command:{width}}  {description}")


def read_number(command, argument, kind, example):
    """The argument of a command as a number."""
    try:
        return kind(argument)
    except ValueError:
        name = "an integer" if kind is int else "a number"
        raise ValueError(
            f"{command} takes {name}, such as {example!r}; got {argument!r}."
        ) from None


def read_typed(answer):
    r"""The text that was typed: \n stands for a newline, \\ for a backslash."""
    return re.sub(r"\\([n\\])", lambda m: "\n" if m[1] == "n" else m[1], answer)


def main():
    parser = argparse.ArgumentParser(description="Write with a network.")
    parser.add_argument("--text", help="text file to learn; Moby Dick by default")
    parser.add_argument("--model", type=Path, help="model file of the generator")
    parser.add_argument("--page", type=Path, help="page to write, instead of a dialog")
    parser.add_argument("--prompt", default="", help="beginning of your text")
    parser.add_argument(
        "--characters", action="store_true", help="suggest characters, not words"
    )
    parser.add_argument("--epochs", type=int, default=2, help="epochs of training")
    parser.add_argument(
        "--min-count", type=int, default=5, help="least frequency of a word"
    )
    args = parser.parse_args()
    try:
        model = load_or_train(args)
        if args.page:
            write_page(model, args)
            return
        session = model.session(args.prompt)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    session = play(session)
    found = session.statistics()
    print(f"\n{session.text}\n")
    if found.n_tokens:
        print(
            f"{found.n_tokens} tokens, {found.n_picked} picked; {found.suggested:.0%} "
            f"were among the ten suggested\n{found.keystrokes_saved:.0%} of the "
            f"keystrokes saved; perplexity {found.perplexity:.0f}"
        )


if __name__ == "__main__":
    main()
