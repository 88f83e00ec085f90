"""Signals as requests: a run that is told to stop saves its step first."""

import signal


class Watch:
    """Makes SIGTERM and Ctrl-C ask to stop at the next step; twice is at once."""

    def __enter__(self):
        self.asked = None
        self._old = {
            s: signal.signal(s, self._ask) for s in (signal.SIGTERM, signal.SIGINT)
        }
        return self

    def _ask(self, number, frame):
        if self.asked is not None:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number).name

    def after(self, step: int) -> bool:
        """Whether this step is the last one."""
        return self.asked is not None

    def __exit__(self, *_):
        for number, handler in self._old.items():
            signal.signal(number, handler)
