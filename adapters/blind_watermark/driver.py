"""blind-watermark by its own classes; runs in the adapter's own environment (its import sets how processes start)."""

import sys

import zoo_watermark

STEPS = (36.0, 20.0)
EVEN = 0.5


class Blind:
    """A core is made anew for every picture: it keeps what it saw."""

    def __init__(self, job):
        parameters = job["parameters"]
        self.bits, self.steps = parameters["message_bits"], [parameters["strength"] * step for step in STEPS]

    def core(self, picture):
        """The package's core with a picture in it."""
        import numpy as np
        from blind_watermark import WaterMarkCore

        core = WaterMarkCore(password_img=1)
        core.d1, core.d2 = self.steps
        core.read_img_arr(np.ascontiguousarray(picture[..., ::-1]))
        return core

    def embed(self, picture, bits):
        """The marked picture."""
        import numpy as np

        core = self.core(picture)
        core.read_wm(np.array(bits, dtype=bool))
        made = core.embed()[: picture.shape[0], : picture.shape[1], ::-1]
        return np.ascontiguousarray(np.clip(np.rint(made), 0, 255).astype(np.uint8))

    def read(self, picture):
        """The mean vote of a bit's blocks, less one half; the package itself splits the votes in two clusters."""
        import numpy as np

        core = self.core(picture)
        return core.extract(np.ascontiguousarray(picture[..., ::-1]), (self.bits,)) - EVEN


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], Blind)
