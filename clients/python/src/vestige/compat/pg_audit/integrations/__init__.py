"""What pg-audit has for frameworks."""
