"""How runs are written down in Weights & Biases: one layout for training, attacks and benchmarks, offline first."""

from faketagger.tracking.artifacts import benchmark_artifact, dataset_artifact, model_artifact
from faketagger.tracking.layout import JobType, define_axes, start

__all__ = ["JobType", "benchmark_artifact", "dataset_artifact", "define_axes", "model_artifact", "start"]
