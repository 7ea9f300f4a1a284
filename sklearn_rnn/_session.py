"""WritingSession: a person and a generator write one text together."""


class WritingSession:
    """Placeholder until the real one lands."""

    def __init__(self, generator, prompt, *, temperature=1.0):
        self.generator = generator
        generator._begun(prompt)
