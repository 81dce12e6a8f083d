"""The trained generator, through upstream's own inference graph in reduce_model.py."""

import sys
from pathlib import Path


class Generator:
    """Sketches to faces.

    Upstream leaves dropout and batch statistics on when it generates. Every picture gets a session of its own, so that
    the dropout drawn for it does not depend on what was generated before.
    """

    def __init__(self, upstream, folder, filters, seed):
        sys.path.insert(0, str(upstream))
        import reduce_model
        import tensorflow as tf

        reduce_model.ngf = filters
        tf.set_random_seed(seed)
        self._tf = tf
        self._given = tf.placeholder(tf.uint8, shape=(256, 512, 3), name="image_tensor")
        self._made = reduce_model.generate_output(self._given)
        self._saver = tf.train.Saver()
        self._checkpoint = tf.train.latest_checkpoint(str(Path(folder)))
        if self._checkpoint is None:
            raise SystemExit("the preparation holds no trained network: run prepare again")

    def make(self, sketch):
        """(256, 256, 3) uint8 sketch to (256, 256, 3) uint8 face; the network sees nothing else."""
        import numpy as np

        with self._tf.Session() as session:
            self._saver.restore(session, self._checkpoint)
            given = np.concatenate([sketch, np.zeros_like(sketch)], axis=1)
            return session.run(self._made, feed_dict={self._given: given})[0]
