"""Modules on the path of every driver. They run in the tool's environment and import nothing of faketagger."""
