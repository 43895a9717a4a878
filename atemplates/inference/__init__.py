"""What Python expressions of a site stand for, and what its views give to templates."""
