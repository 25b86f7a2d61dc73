"""What any part of a page takes: asking for work, waiting, replaying, addresses, controls, texts, and export."""
