"""What stops the reading of a scenario file."""


class ScenarioError(Exception):
    """A scenario file cannot be used.

    Attributes:
        file: the file as people know it.
        line: counted from 1; 0 when no single line is to blame.
        message: which construct, or what is wrong. It never quotes the file: who names a
            file need not be allowed to read it.
        hint: what to do, or empty.
    """

    def __init__(self, file: str, line: int, message: str, hint: str = "") -> None:
        self.file, self.line, self.message, self.hint = file, line, message, hint
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {message}")
