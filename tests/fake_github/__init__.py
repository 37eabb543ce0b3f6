"""The fake GitHub: held to GitHub's description, its examples, and what it must remember."""
