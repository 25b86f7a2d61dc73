"""What pages share: layout, pickers, waiting for results, downloads."""
