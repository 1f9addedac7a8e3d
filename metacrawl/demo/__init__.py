"""An invented film site in all page designs of Metacritic since 2010, for trying out and testing crawls.

`build_world` invents the films and reviews, `designs` renders them, `DemoSite` serves them on this machine together
with the JSON back end, `expected_records` tells what a correct crawl of it must find. `traps` lists the difficulties of
the real pages and which film has which.
"""
