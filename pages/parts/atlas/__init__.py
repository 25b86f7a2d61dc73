"""What only the page of activation atlases draws."""
