"""White-box attacks: differentiable stand-ins for what happens to a tagged picture on its way."""

from faketagger.simulator.interface import Attack, AttackBatch, AttackOutput
from faketagger.simulator.pool import AttackPool, PoolEntry
from faketagger.simulator.registry import build, describe, names

__all__ = ["Attack", "AttackBatch", "AttackOutput", "AttackPool", "PoolEntry", "build", "describe", "names"]
