"""What an image classifier has learned, and why it decides as it does: PyTorch in, arrays and Plotly figures out."""
