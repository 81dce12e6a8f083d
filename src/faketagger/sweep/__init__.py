"""Sweeps: one search file in W&B's schema, run by W&B's agents, on this machine, or on a Ray cluster."""
