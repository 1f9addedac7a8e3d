"""Rows for the tests of the database."""


def a_list(run, film, verdict, *, missing=0):
    """Make the verdict of a run on a film's critic reviews, of which there are ten."""
    return {
        "film": film,
        "reviews": "critic-reviews",
        "run": run,
        "verdict": verdict,
        "total": 10,
        "at_least": False,
        "source": "list",
        "stored": 10 - missing,
        "missing": missing,
        "why": None if verdict == "complete" else f"http://x/movie/{film}/critic-reviews: HTTP 500",
        "totals": {},
        "agree": True,
    }
