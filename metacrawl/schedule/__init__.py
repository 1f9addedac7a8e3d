"""What is done when: the schedule file, and what runs it."""
