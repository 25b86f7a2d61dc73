"""One photograph as a flow through groups of channels, on the pages that show one."""
