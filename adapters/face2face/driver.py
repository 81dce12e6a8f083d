"""Face2Face by its published principle: a face keeps identity, pose and background and takes another's expression.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json`` fits
the drivers and keeps their expressions, ``driver.py apply job.json`` gives each picture the expression of one of them.
"""

import json
import sys
from pathlib import Path

from zoo_driver import pictures_in, read_rgb, run, say, write_png

CLOSED = 0.002  # an opening below this share of the face's own box shows nothing of the mouth's inside
MARGIN = 4


def load_model(name, install):
    """The face model of a name, from the folders in job.json."""
    if name == "candide":
        from candide import Candide

        return Candide(install["companions"]["candide"])
    from surrey import Surrey

    return Surrey(install["upstream"])


class Driver:
    """A fitted driver: its expression and, where its mouth is open, what is inside it."""

    def __init__(self, expression, ring=None, mouth=None):
        self.expression, self.ring, self.mouth = expression, ring, mouth

    @classmethod
    def fitted(cls, picture, fit, opening):
        """From a picture of the driver.

        Args:
            picture: (H, W, 3) uint8.
            fit: The model fitted to it.
            opening: Vertices around the mouth's opening.
        """
        import numpy as np
        from reenact import area

        placed = fit.place(fit.expression)
        ring = placed[:2, opening]
        if area(ring) < CLOSED * np.ptp(placed[:2], axis=1).prod():
            return cls(fit.expression)
        low = np.floor(ring.min(axis=1)).astype(int) - MARGIN
        high = np.ceil(ring.max(axis=1)).astype(int) + MARGIN + 1
        (left, top), (right, bottom) = np.clip([low, high], 0, [picture.shape[1::-1]])
        if right - left < MARGIN or bottom - top < MARGIN:
            return cls(fit.expression)
        return cls(fit.expression, ring - [[left], [top]], np.ascontiguousarray(picture[top:bottom, left:right]))

    def save(self, folder, number):
        """Leave the mouth's picture in a folder; returns the rest as plain values."""
        plain = {"expression": [float(value) for value in self.expression], "ring": None, "mouth": None}
        if self.mouth is not None:
            plain |= {"ring": self.ring.tolist(), "mouth": f"{number:05}.png"}
            write_png(self.mouth, folder / plain["mouth"])
        return plain

    @classmethod
    def load(cls, folder, plain):
        """The opposite of :meth:`save`."""
        import numpy as np

        expression = np.array(plain["expression"])
        if plain["mouth"] is None:
            return cls(expression)
        return cls(expression, np.array(plain["ring"]), read_rgb(folder / plain["mouth"]))


def prepare(job):
    """Fit every picture of the faceset ``driver``; keeps expressions and mouths in ``output``."""
    from render import holes
    from zoo_landmarks import Finder

    name, output = job["parameters"]["model"], Path(job["output"])
    paths = pictures_in(job["facesets"]["driver"])
    finder, model = Finder(job["install"]["packages"]), load_model(name, job["install"])
    opening = holes(model.triangles)[1]
    kept = []
    for done, path in enumerate(paths, 1):
        try:
            picture = read_rgb(path)
            points = finder.find(picture)
            if points is None:
                say("log", message=f"{path.name}: no face found, not used")
            else:
                fit = model.fit(points, picture.shape[1], picture.shape[0])
                kept.append(Driver.fitted(picture, fit, opening).save(output, len(kept)) | {"file": path.name})
        except Exception as error:
            say("log", message=f"{path.name}: not used, {type(error).__name__}: {error}")
        say("progress", done=done, total=len(paths))
    if not kept:
        raise SystemExit(f"none of the {len(paths)} pictures of the faceset driver shows a face that could be fitted")
    (output / "drivers.json").write_text(json.dumps({"model": name, "drivers": kept}, indent=1), encoding="utf-8")
    say("log", message=f"{len(kept)} of {len(paths)} drivers fitted with {name}")


class Studio:
    """All that apply needs for a picture; loaded once."""

    def __init__(self, job):
        from render import holes
        from zoo_landmarks import Finder

        if not job["model"]:
            raise SystemExit("there are no drivers: run prepare with the faceset driver first")
        folder = Path(job["model"])
        kept = json.loads((folder / "drivers.json").read_text(encoding="utf-8"))
        self.drivers = [Driver.load(folder, plain) for plain in kept["drivers"]]
        self.finder, self.model = Finder(job["install"]["packages"]), load_model(kept["model"], job["install"])
        self.opening = holes(self.model.triangles)[1]
        self.strength = job["parameters"]["strength"]

    def make(self, picture, seed):
        """One picture with the expression of the driver that its seed picks; (picture, mask) or None: no face."""
        from reenact import reenact

        points = self.finder.find(picture)
        if points is None:
            return None
        driver = self.drivers[seed % len(self.drivers)]
        fit = self.model.fit(points, picture.shape[1], picture.shape[0])
        wanted = fit.expression + self.strength * (driver.expression - fit.expression)
        mouth = None if driver.mouth is None else (driver.ring, driver.mouth)
        before, after = fit.place(fit.expression), fit.place(wanted)
        return reenact(picture, before, after, self.model.triangles, self.opening, mouth)


def apply(job):
    """Give every picture the expression of a driver."""
    images = job["images"]
    if not images:
        return
    import numpy as np

    studio = Studio(job)
    source, output = Path(job["input"]), Path(job["output"])
    for done, image in enumerate(images, 1):
        name, status, reason = image["name"], "attacked", None
        try:
            picture = read_rgb(source / name)
            result = studio.make(picture, image["seed"])
            made, mask = result or (picture, np.zeros(picture.shape[:2], np.uint8))
            if result is None:
                status, reason = "passed_through", "no face was found"
            if job.get("masks"):
                write_png(mask, Path(job["masks"]) / name)
            write_png(made, output / name)
        except Exception as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=name, status=status, reason=reason)
        say("progress", done=done, total=len(images))


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=prepare, apply=apply)


if __name__ == "__main__":
    main(sys.argv[1:])
