"""The matrix: one line for each construct of the template language, every engine side by side."""
