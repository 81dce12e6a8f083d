"""Collections of millions: listed once, cut into batches, worked through by Ray, each content exactly once."""
