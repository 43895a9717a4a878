"""Reading the templates of a site: which there are, what they read, what cannot be read."""
