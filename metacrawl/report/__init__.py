"""The report: one HTML page about what a database holds, which needs nothing but itself."""
