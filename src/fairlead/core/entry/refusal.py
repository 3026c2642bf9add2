"""Why a typed value is not taken."""


class EntryRefused(ValueError):
    """The value is not taken. `code` is stable; the message is for people and never repeats the value.

    Values that people type are personal data, and messages end in logs and reports.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
