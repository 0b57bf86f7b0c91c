"""What a family is written in: layers with their weights' shapes, and unknowns that names and shapes solve."""
