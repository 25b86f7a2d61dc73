"""The parts of pages: a folder for each page, and the frame, the kit and the cards, which pages share."""
