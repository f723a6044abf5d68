"""The room of nop: a vLLM server's log, followed as it is written, as what each start took.

Bytes go in (`recorder.py`), and come out as events and, at any time, as the starts that the log
tells of (`report.py`). Which line says what is one table (`wording.py`); nothing is decided by
the version that a log claims to be of, which serves only to explain what is absent.
"""
