"""An invented film site in the page structure of Metacritic from 2016 to 2023, for trying out and testing crawls.

`build_world` invents the films and reviews, `DemoSite` serves them on this machine, `expected_records` tells what a
correct crawl of it must find. `traps` lists the difficulties of the real pages and which film has which.
"""
