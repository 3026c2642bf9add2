"""What leaves as a file: where its rows come from, the exports that were requested, and the pieces of their files."""
