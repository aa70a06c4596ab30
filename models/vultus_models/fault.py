"""The one error that the command line shows without a traceback."""


class Fault(Exception):
    """What went wrong and what to do about it, as a sentence for the person at the keyboard."""
