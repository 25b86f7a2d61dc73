"""What stands around every page: title, navigation, and the sidebar with classifier and images."""
