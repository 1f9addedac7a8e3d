"""Datasets: what the database holds, as a folder of files with a description of themselves."""
