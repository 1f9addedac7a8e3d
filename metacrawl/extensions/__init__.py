"""What accompanies a crawl: its record, its progress."""
