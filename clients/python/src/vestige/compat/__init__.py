"""What others call it: packages whose users change an import, and nothing else."""
