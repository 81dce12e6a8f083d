"""Which attributes a face has: asked of upstream's discriminator, which learned to tell them."""

import sys
from pathlib import Path

HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
AT_ONCE = 16


def seen(scores):
    """The attributes of one picture.

    Args:
        scores: By attribute; above 0 it is there. Of the hair colours at most the likeliest is.
    """
    there = {name for name, score in scores.items() if score > 0}
    hair = [name for name in scores if name in HAIR]
    likeliest = max(hair, key=scores.__getitem__, default=None)
    return {name for name in there if name not in HAIR or name == likeliest}


def look(upstream, model, settings, squares):
    """Scores of every picture.

    Args:
        upstream: Folder of upstream's code.
        model: Checkpoint without an ending.
        settings: Upstream's of the training.
        squares: (S, S, 3) uint8 each, S being the network's size.

    Returns:
        By picture: attribute to score.

    Raises:
        SystemExit: The checkpoint holds no such discriminator.
    """
    sys.path.insert(0, str(upstream))
    import models
    import numpy as np
    import tensorflow as tf

    names, side = settings["atts"], settings["img_size"]
    given = tf.placeholder(tf.float32, [None, side, side, 3])
    shape = {"dim": settings["dis_dim"], "fc_dim": settings["dis_fc_dim"], "n_layers": settings["dis_layers"]}
    _, judged = models.D(given, n_att=len(names), **shape)
    found = []
    with tf.Session() as session:
        try:
            tf.train.Saver().restore(session, str(Path(model)))
        except (tf.errors.OpError, ValueError) as error:
            raise SystemExit(f"the weights are not those of STGAN's discriminator: {str(error)[:200]}") from None
        for start in range(0, len(squares), AT_ONCE):
            pixels = np.stack(squares[start : start + AT_ONCE]).astype(np.float32) / 127.5 - 1
            found += session.run(judged, feed_dict={given: pixels}).tolist()
    return [dict(zip(names, scores, strict=True)) for scores in found]
