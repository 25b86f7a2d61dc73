"""What only the page of class summaries draws."""
