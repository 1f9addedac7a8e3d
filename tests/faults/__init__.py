"""Faults on purpose: crawls that are killed and started again, and what they lose by it.

Black box: the real command, the embedded demo site, and what stands in the database and in the site's log at the end.
"""
