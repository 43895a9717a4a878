"""Tag libraries as other people write them."""
