"""Who is rendered and how the picture is taken: every number drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from faketagger.data.rendered.head import load_head
from faketagger.data.rendered.raster import Floats

_OPPOSITES = (
    ("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"), ("concave", "convex"),
    ("compress", "uncompress"),
)  # fmt: skip
_SPREAD = {
    "nose": 0.38, "mouth": 0.26, "eye": 0.25, "cheek": 0.3, "chin": 0.28, "ear": 0.3, "eyebrows": 0.35,
    "forehead": 0.3, "neck": 0.25, "head": 0.22,
}  # fmt: skip
_NOT_SHAPES = ("head-trans", "head-angle", "head-age", "mouth-trans-in", "mouth-trans-out", "mouth-dimples")
_OUTLINES = ("head-oval", "head-round", "head-square", "head-rectangular", "head-diamond", "head-triangular")
_HAIR_COLOURS = {
    "black": (0.012, 0.010, 0.009), "dark": (0.035, 0.022, 0.014), "brown": (0.09, 0.05, 0.026),
    "blond": (0.36, 0.24, 0.12), "red": (0.20, 0.065, 0.022), "grey": (0.30, 0.29, 0.28),
}  # fmt: skip
_IRIS_COLOURS = ((0.055, 0.028, 0.012), (0.11, 0.06, 0.025), (0.16, 0.20, 0.10), (0.16, 0.26, 0.36))
HAIR_STYLES = ("crop", "short", "side", "bob", "long", "tied", "bald")


@dataclass(frozen=True)
class Person:
    """What stays the same in every picture of one person.

    Attributes:
        seed: Where the numbers came from; also seeds the skin's pattern.
        shape: Target weights.
        skin: Linear RGB albedo.
        age: 0 young, 1 old.
        male: 0 to 1.
        iris: Linear RGB.
        hair: Linear RGB.
        style: One of ``HAIR_STYLES``.
        part: Where the hair parts, in decimetres from the middle.
        wave: How curly, 0 to 1.
        brow: Thickness of the brows, around 1.
        beard: 0 none, 1 full.
        lips: How much redder than the skin the lips are, 0 to 1.
        freckles: 0 to 1.
    """

    seed: int
    shape: dict[str, float]
    skin: Floats
    age: float
    male: float
    iris: Floats
    hair: Floats
    style: str
    part: float
    wave: float
    brow: float
    beard: float
    lips: float
    freckles: float


@dataclass(frozen=True)
class Shot:
    """What differs between two pictures of one person.

    Attributes:
        seed: Also seeds background and sensor noise.
        expression: Target weights.
        turn: Yaw, pitch and roll of the head in radians.
        gaze: Eye rotation (right, up) in radians against the camera.
        light: (3,) direction towards the main light.
        hardness: 0 overcast, 1 a bare bulb.
        warmth: Colour of the main light, -1 cold to 1 warm.
        zoom: Pixels per decimetre as a share of the picture's side.
        shift: Where the face is off the middle, in decimetres.
        cloth: Linear RGB of the shirt.
        exposure: Brightness of the picture.
    """

    seed: int
    expression: dict[str, float]
    turn: tuple[float, float, float]
    gaze: tuple[float, float]
    light: Floats
    hardness: float
    warmth: float
    zoom: float
    shift: tuple[float, float]
    cloth: Floats
    exposure: float


def draw_person(seed: int) -> Person:
    """Draw somebody.

    Args:
        seed: The same seed gives the same person.
    """
    rng = np.random.default_rng([seed, 1])
    origin = rng.dirichlet([0.5, 0.5, 0.5])
    male = float(np.clip(rng.choice([0.08, 0.92]) + rng.normal(0, 0.06), 0, 1))
    age = float(np.clip(rng.beta(1.1, 2.8), 0, 0.95))
    caucasian, african, asian = (float(share) for share in origin)
    melanin = float(
        np.clip(0.12 * caucasian + 0.85 * african + 0.3 * asian + rng.normal(0, 0.07), 0.02, 0.98)
    )
    return Person(
        seed=seed,
        shape=_macro(origin, male, age, rng) | _details(rng),
        skin=_skin(melanin, rng),
        age=age,
        male=male,
        iris=np.array(
            _IRIS_COLOURS[_pick(rng, (0.4 + african + asian, 0.3, 0.5 * caucasian, 0.6 * caucasian))]
        ),
        hair=_hair(rng, caucasian, age),
        style=_style(rng, male, age),
        part=float(rng.uniform(-0.45, 0.45)),
        wave=float(np.clip(rng.beta(1.2, 2.5) + 0.5 * african, 0, 1)),
        brow=float(rng.uniform(0.55, 0.85) + 0.3 * male),
        beard=float(rng.choice([0.0, 0.25, 0.55, 1.0], p=[0.45, 0.25, 0.15, 0.15])) if male > 0.5 else 0.0,
        lips=float(rng.uniform(0.25, 0.5) if male > 0.5 else rng.uniform(0.4, 0.95)),
        freckles=float(rng.beta(1, 3) * (1 - melanin)),
    )


def draw_shot(person: Person, number: int) -> Shot:
    """Draw one picture of somebody.

    Args:
        person: Who.
        number: Which of their pictures.
    """
    rng = np.random.default_rng([person.seed, 2, number])
    azimuth, height = rng.uniform(-1.05, 1.05), rng.uniform(0.15, 0.85)
    smile = float(max(0.0, rng.normal(0.25, 0.4)))
    return Shot(
        seed=int(rng.integers(2**31)),
        expression={
            "mouth-corner-puller": min(smile, 0.85),
            "mouth-open": float(max(0.0, rng.normal(-0.03, 0.1))),
            "mouth-elevation": float(rng.uniform(0, 0.12)),
            "eyebrows-left-up": float(max(0.0, rng.normal(0.05, 0.2))),
            "eyebrows-right-up": float(max(0.0, rng.normal(0.05, 0.2))),
            "eyebrows-left-down": float(max(0.0, rng.normal(-0.1, 0.15))),
            "eyebrows-right-down": float(max(0.0, rng.normal(-0.1, 0.15))),
            "eye-left-slit": 0.25 * smile,
            "eye-right-slit": 0.25 * smile,
        },
        turn=(_clipped(rng, 0.24), _clipped(rng, 0.09), _clipped(rng, 0.06)),
        gaze=(float(rng.normal(0, 0.05)), float(rng.normal(0, 0.03))),
        light=np.array([np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)]),
        hardness=float(rng.uniform(0.25, 0.9)),
        warmth=float(rng.uniform(-0.8, 1.0)),
        zoom=float(rng.uniform(0.33, 0.40)),
        shift=(float(rng.normal(0, 0.08)), float(rng.normal(0, 0.06))),
        cloth=rng.uniform(0.01, 0.6, 3) ** rng.uniform(0.8, 1.6),
        exposure=float(rng.uniform(0.85, 1.2)),
    )


def _macro(origin: Floats, male: float, age: float, rng: np.random.Generator) -> dict[str, float]:
    weights: dict[str, float] = {}
    fat = float(np.clip(rng.normal(0.05, 0.35), -0.7, 0.9))
    for gender, gender_share in (("male", male), ("female", 1 - male)):
        for years, age_share in (("old", age), ("young", 1 - age)):
            for people, share in zip(("caucasian", "african", "asian"), origin, strict=True):
                weights[f"{people}-{gender}-{years}"] = float(share) * gender_share * age_share
            build = "maxweight" if fat > 0 else "minweight"
            weights[f"universal-{gender}-{years}-averagemuscle-{build}"] = abs(fat) * gender_share * age_share
    return weights


def _details(rng: np.random.Generator) -> dict[str, float]:
    known = load_head().targets
    weights: dict[str, float] = {}
    for name in known:
        stem, _, end = name.rpartition("-")
        partner = next((plus for minus, plus in _OPPOSITES if end == minus), None)
        area = next((a for a in _SPREAD if stem.startswith((a, f"l-{a}"))), None)
        if (
            partner is None
            or area is None
            or name.startswith(_NOT_SHAPES)
            or f"{stem}-{partner}" not in known
        ):
            continue
        amount = float(np.clip(rng.normal(0, _SPREAD[area]), -0.6, 0.6))
        chosen = f"{stem}-{partner if amount > 0 else end}"
        weights[chosen] = abs(amount)
        if chosen.startswith("l-"):
            weights[f"r-{chosen[2:]}"] = abs(amount) * float(rng.uniform(0.8, 1.2))
    weights[_OUTLINES[rng.integers(len(_OUTLINES))]] = float(rng.uniform(0, 0.5))
    return weights


def _skin(melanin: float, rng: np.random.Generator) -> Floats:
    fair, dark = np.array([0.66, 0.41, 0.31]), np.array([0.105, 0.052, 0.032])
    tone = np.exp((1 - melanin) * np.log(fair) + melanin * np.log(dark))
    return tone * np.exp(rng.normal(0, [0.04, 0.05, 0.07]))


def _hair(rng: np.random.Generator, caucasian: float, age: float) -> Floats:
    names = list(_HAIR_COLOURS)
    odds = np.array(
        [1 - 0.8 * caucasian, 0.6, 0.9 * caucasian, 0.8 * caucasian, 0.25 * caucasian, 1.5 * age**2]
    )
    colour = np.array(_HAIR_COLOURS[names[_pick(rng, tuple(odds))]])
    grey = np.clip(1.4 * (age - 0.5) + rng.normal(0, 0.1), 0, 1)
    mixed = (1 - grey) * colour + grey * np.array(_HAIR_COLOURS["grey"])
    return mixed * np.exp(rng.normal(0, 0.12))


def _style(rng: np.random.Generator, male: float, age: float) -> str:
    men = (0.3, 0.4, 0.25, 0.0, 0.02, 0.0, 0.05 + 0.3 * age)
    women = (0.05, 0.1, 0.1, 0.25, 0.3, 0.2, 0.0)
    return HAIR_STYLES[_pick(rng, men if male > 0.5 else women)]


def _clipped(rng: np.random.Generator, spread: float) -> float:
    return float(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread))


def _pick(rng: np.random.Generator, odds: tuple[float, ...]) -> int:
    share = np.array(odds, dtype=float)
    return int(rng.choice(len(share), p=share / share.sum()))
