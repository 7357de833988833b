"""One module a revision, `r<number>_<what>.py`."""
