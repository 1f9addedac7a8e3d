"""A site that answers as badly as can be: each film's page in its own way, over raw sockets.

Frameworks repair bad HTTP, so there is none here. `python -m tests.faults.site.compare` has stock Scrapy read it.
"""
