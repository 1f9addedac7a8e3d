"""What a crawl has still to do, kept in its database: leased, acknowledged with what came of it, and shared."""
