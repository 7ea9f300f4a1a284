"""load_moby_dick: the text of the novel and its chapters."""

from sklearn_rnn.datasets import load_moby_dick


def test_moby_dick_is_the_whole_text_with_case_and_marks():
    book = load_moby_dick()
    assert len(book.data) == 1_190_317 and len(set(book.data)) == 83
    assert book.data.startswith("CHAPTER 1. Loomings.\n\nCall me Ishmael.")
    assert book.data.count("whale") > 1000 and "\r" not in book.data


def test_the_chapters_of_moby_dick_are_its_text():
    book = load_moby_dick()
    assert "".join(book.chapters) == book.data
    titles = [chapter.split("\n")[0] for chapter in book.chapters]
    numbers = [int(title.split()[1].rstrip(".")) for title in titles]
    assert numbers == list(range(1, 136))
    assert titles[41] == "CHAPTER 42. The Whiteness of The Whale."
