"""The truth of a crawl: records and runs in SQLite or PostgreSQL. The only SQL of the project stands here."""
