"""Property tests: the same examples in every run, and no deadline, which a busy machine would miss."""

import signal

from hypothesis import settings

settings.register_profile("patient", deadline=None, derandomize=True)
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; tests interrupt their children
    signal.signal(signal.SIGINT, signal.default_int_handler)
