"""What happens to a record between the page and the database. One class each, one `process_item`."""
