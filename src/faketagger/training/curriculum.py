"""Message first, then attacks, quality last: every step up is earned by accuracy, not by the clock."""

from dataclasses import dataclass, field


@dataclass
class Curriculum:
    """Holds attack strength and picture quality as high as the measured bit accuracy allows.

    The stages: ``message`` (strong residual, no attack) until clean accuracy passes ``message_done``; ``attacks``
    (attack share ramps up) until attacked accuracy passes ``attacks_done``; ``quality`` (PSNR climbs to its target
    while attacked accuracy stays above ``hold``, and gives way below it).

    Attributes:
        start_psnr: PSNR in dB while the message is learnt.
        attack_psnr: PSNR in dB while attacks are learnt.
        target_psnr: PSNR in dB to end at.
        message_done: Clean bit accuracy that starts the attacks.
        attacks_done: Attacked bit accuracy that starts the climb in quality.
        hold: Attacked bit accuracy kept during the climb.
        climb: Largest change of PSNR per step in dB.
        ramp: Steps over which the share of attacked pictures grows from 0 to 1.
        memory: Weight of the past in the running accuracies.
    """

    start_psnr: float = 24.0
    attack_psnr: float = 28.0
    target_psnr: float = 38.0
    message_done: float = 0.95
    attacks_done: float = 0.85
    hold: float = 0.85
    climb: float = 0.02
    ramp: int = 200
    memory: float = 0.95
    stage: str = field(default="message", init=False)
    psnr: float = field(default=0.0, init=False)
    attack_share: float = field(default=0.0, init=False)
    clean: float = field(default=0.5, init=False)
    attacked: float = field(default=0.5, init=False)

    def __post_init__(self) -> None:
        self.psnr = self.start_psnr

    def update(self, clean: float, attacked: float | None) -> None:
        """Take the bit accuracies of one step (``attacked`` is None where no picture was attacked)."""
        self.clean = self.memory * self.clean + (1 - self.memory) * clean
        if attacked is not None:
            self.attacked = self.memory * self.attacked + (1 - self.memory) * attacked
        if self.stage == "message" and self.clean > self.message_done:
            self.stage, self.attacked = "attacks", self.clean
        if self.stage == "message":
            return
        self.attack_share = min(1.0, self.attack_share + 1 / self.ramp)
        if self.stage == "attacks":
            self._move(self.attack_psnr)
            if self.attack_share == 1.0 and self.attacked > self.attacks_done:
                self.stage = "quality"
            return
        self._move(self.target_psnr if self.attacked > self.hold else self.attack_psnr)

    def _move(self, goal: float) -> None:
        self.psnr += max(-self.climb, min(self.climb, goal - self.psnr))

    def state(self) -> dict[str, float | str]:
        """What :meth:`restore` needs to go on at the identical next step."""
        return {name: getattr(self, name) for name in ("stage", "psnr", "attack_share", "clean", "attacked")}

    def restore(self, state: dict[str, float | str]) -> None:
        """Set the state returned by :meth:`state`."""
        for name, value in state.items():
            setattr(self, name, value)
