"""The spiders: which pages a crawl wants and where they lead. No selector, no request, no cleaning here."""
