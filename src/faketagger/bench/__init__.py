"""Scenario, attack, records, statistics, report: tag real faces, attack them, read back, say what is left.

Nothing here imports torch until something has to be measured.
"""
